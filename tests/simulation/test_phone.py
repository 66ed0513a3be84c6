"""A phone that loses the network keeps its fixes and sends them in order later."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.simulation.fixes import Fix
from backend.simulation.motion import Journey, Sample
from backend.simulation.phone import Phone
from tests.simulation.world import CITIES

START = 1_790_000_000.0


class ScriptedJourney(Journey):
    """Stands still; reachable as the script says for a time since the start."""

    def __init__(self, dead: tuple[float, float]) -> None:
        super().__init__(CITIES[0], CITIES[0].hubs[0], "bike", "script", START)
        self._dead = dead

    @property
    def on_shift(self) -> bool:
        return True

    def advance(self, to: float) -> Sample:
        self.now = to
        reachable = not self._dead[0] <= to - START < self._dead[1]
        return Sample(Fix(round(to, 3), 12.9, 77.6), reachable, True)


def test_fixes_of_a_dead_zone_are_sent_afterwards_oldest_first_in_one_batch() -> None:
    phone = Phone(ScriptedJourney((60, 200)), "native", "x")
    sent: list[list[float]] = []
    late = 0
    for second in range(1, 300):
        phone.live(START + second)
        batch = phone.batch()
        if 60 < second < 200 and not phone.reachable:
            assert batch == []
            late = max(late, phone.unsent)
        if batch:
            sent.append([fix.at for fix in batch])
            phone.sent(len(batch))
    times = [at for batch in sent for at in batch]
    assert times == sorted(set(times))
    assert max(map(len, sent)) >= late > 25
    gaps = [after - before for before, after in pairwise(times)]
    assert max(gaps) < 6


@settings(max_examples=30)
@given(st.sampled_from(["native", "osmand", "osmand_json", "owntracks"]), st.data())
def test_nothing_is_lost_or_reordered_however_sending_fails(doorway: str, data) -> None:  # type: ignore[no-untyped-def]
    phone = Phone(ScriptedJourney((0, 0)), doorway, "y")  # type: ignore[arg-type]
    sent: list[float] = []
    now = START
    for fails in data.draw(st.lists(st.booleans(), max_size=40)):
        now = max(now + 1, phone.due())
        phone.live(now)
        batch = phone.batch()
        if fails:
            phone.failed(now)
            assert phone.due() > now
        else:
            sent.extend(fix.at for fix in batch)
            phone.sent(len(batch))
    phone.live(now + 60)
    while batch := phone.batch():
        sent.extend(fix.at for fix in batch)
        phone.sent(len(batch))
    assert sent == sorted(set(sent))
    # One fix each five seconds or so from the start to the end.
    assert len(sent) >= (now + 60 - START) / 5.5 - 2


def test_a_phone_comes_back_no_sooner_than_the_server_asked() -> None:
    phone = Phone(ScriptedJourney((0, 0)), "native", "z")
    phone.live(START + 10)
    phone.failed(START + 10, 45)
    assert phone.due() >= START + 55


def test_a_long_outage_makes_the_phone_spare_its_storage() -> None:
    phone = Phone(ScriptedJourney((0, 1e9)), "native", "s")
    phone.live(START + 3 * 3600)
    assert 300 < phone.unsent < 1200
