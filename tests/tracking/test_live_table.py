"""The table of newest states: time order, ageing, places, search and cells."""

from __future__ import annotations

from uuid import UUID, uuid4

import h3.api.basic_int as h3
import numpy as np
import pytest

from backend.tracking.live_cells import CellIndex, parents, resolution_for
from backend.tracking.live_table import DriverDetails, LiveTable, States, Status, Thresholds

NOW_MS = 1_760_000_000_000


def details(
    *, region: str = "TH-10", hub: str | None = None, code: str = "DRV-0001", on_shift: bool = True,
    plate: str | None = None, vehicle: str = "bike", driver: UUID | None = None,
) -> DriverDetails:  # fmt: skip
    return DriverDetails(
        driver or uuid4(), code, "Somchai P.", plate, vehicle, hub, region, on_shift
    )


def states(*rows: tuple[int, float, float]) -> States:
    """States from (effective_ms, lat, lon)."""
    n = len(rows)
    return States(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] * 1e7 for row in rows], np.int32),
        np.array([row[2] * 1e7 for row in rows], np.int32),
        np.zeros(n, np.uint8),
        np.zeros(n, np.uint8),
        np.full(n, 80, np.uint8),
        np.zeros(n, np.uint16),
    )


def cell(lat: float, lon: float) -> int:
    """The ancestor at resolution 7 of the finest cell, which need not hold the point itself."""
    return int(h3.cell_to_parent(h3.latlng_to_cell(lat, lon, 9), 7))


def test_only_the_newest_state_of_a_driver_stays() -> None:
    table, driver = LiveTable(), uuid4().bytes
    table.apply(
        [driver, driver, driver],
        states((NOW_MS + 1, 1, 1), (NOW_MS + 3, 3, 3), (NOW_MS + 2, 2, 2)),
    )
    table.apply([driver], states((NOW_MS, 9, 9)))
    assert table.column("lat_e7").tolist() == [30_000_000]
    assert table.newest_ms == NOW_MS + 3


def test_a_position_ages_by_time_alone_and_each_change_is_marked() -> None:
    table = LiveTable(Thresholds(30, 300))
    driver = details()
    table.put(driver)
    table.apply([driver.id.bytes], states((NOW_MS, 13.7, 100.5)))
    seen = []
    for after_s in (30, 31, 300, 301):
        table.advance(NOW_MS + after_s * 1000)
        changed = table.column("changed_tick")[0] == table.tick
        seen.append((Status(table.column("status")[0]), bool(changed)))
    assert seen == [
        (Status.LIVE, True), (Status.STALE, True), (Status.STALE, False), (Status.OFFLINE, True),
    ]  # fmt: skip


def test_a_regions_limits_hold_below_it_and_nowhere_else() -> None:
    table = LiveTable(Thresholds(30, 300))
    hub, city = details(hub="TH-10.siam"), details(region="SG-01")
    for driver in (hub, city):
        table.put(driver)
        table.apply([driver.id.bytes], states((NOW_MS, 1, 1)))
    table.set_thresholds(Thresholds(30, 300), {"TH": Thresholds(60, 90)})
    assert table.status_at(NOW_MS + 50_000).tolist() == [Status.LIVE, Status.STALE]
    assert table.status_at(NOW_MS + 100_000).tolist() == [Status.OFFLINE, Status.STALE]


def test_off_shift_beats_freshness_and_no_position_is_offline() -> None:
    table = LiveTable()
    off, silent = details(on_shift=False), details()
    table.put(off)
    table.put(silent)
    table.apply([off.id.bytes], states((NOW_MS, 1, 1)))
    assert table.status_at(NOW_MS).tolist() == [Status.OFF_SHIFT, Status.OFFLINE]
    assert table.bbox_mask((-180, -90, 180, 90)).tolist() == [True, False]


def test_scope_reaches_down_the_tree_and_never_to_the_unplaced() -> None:
    table = LiveTable()
    for driver in (
        details(), details(hub="TH-10.siam"), details(region="TH-1"), details(region="SG-01"),
    ):  # fmt: skip
        table.put(driver)
    table.apply([uuid4().bytes], states((NOW_MS, 1, 1)))
    assert table.scope_mask(["TH-10"]).tolist() == [True, True, False, False, False]
    assert table.scope_mask(["TH-10.siam"]).tolist() == [False, True, False, False, False]
    assert table.scope_mask(["TH"]).tolist() == [True, True, True, False, False]
    assert table.scope_mask(["*"]).tolist() == [True, True, True, True, False]
    assert table.scope_mask([]).tolist() == [False] * 5
    assert len(table.unknown()) == 1


def test_view_across_the_antimeridian() -> None:
    table = LiveTable()
    table.apply(
        [uuid4().bytes for _ in range(3)],
        states((NOW_MS, 0, 179.9), (NOW_MS, 0, -179.9), (NOW_MS, 0, 100)),
    )
    assert table.bbox_mask((170, -10, -170, 10)).tolist() == [True, True, False]


def test_search_takes_code_name_and_plate_or_code_alone() -> None:
    table = LiveTable()
    table.put(details(code="DRV-0042", plate="1กข 234"))
    assert table.search_mask("drv-004").tolist() == [True]
    assert table.search_mask("1กข").tolist() == [True]
    assert table.search_mask("SOMCHAI").tolist() == [True]
    assert table.search_mask("somchai", names=False).tolist() == [False]
    assert table.search_mask("0042", names=False).tolist() == [True]


def test_a_removed_driver_leaves_and_its_slot_is_not_given_again() -> None:
    table, driver = LiveTable(), details()
    slot = table.put(driver)
    table.remove(driver.id.bytes)
    assert not table.scope_mask(["*"]).any()
    assert table.put(driver) != slot


def test_the_table_grows_past_its_first_size() -> None:
    table = LiveTable()
    ids = [uuid4().bytes for _ in range(5_000)]
    table.apply(ids, states(*((NOW_MS, 1, index / 100) for index in range(5_000))))
    assert table.size == 5_000
    assert table.column("lon_e7")[table.slot(ids[4_321])] == 432_100_000


@pytest.mark.parametrize("resolution", range(10))
def test_parent_cells_agree_with_the_library(resolution: int) -> None:
    fine = np.array(
        [h3.latlng_to_cell(lat, lat * 2.3 - 100, 9) for lat in range(-80, 81, 7)], np.uint64
    )
    expected = [h3.cell_to_parent(int(cell), resolution) for cell in fine]
    assert parents(fine, resolution).tolist() == expected


def test_cells_count_by_status_and_follow_moves() -> None:
    table = LiveTable()
    drivers = [details(code=f"DRV-{n}") for n in range(3)]
    for driver in drivers:
        table.put(driver)
    ids = [driver.id.bytes for driver in drivers]
    table.apply(ids, states(*[(NOW_MS, 13.75, 100.5)] * 2, (NOW_MS - 60_000, 13.75, 100.5)))
    table.advance(NOW_MS)
    index, everyone = CellIndex(table), np.ones(3, np.bool_)
    cells, resolution = index.count(everyone, everyone, 7)
    assert resolution == 7
    assert cells.index.tolist() == [cell(13.75, 100.5)]
    assert cells.counts.tolist() == [[2, 1, 0, 0]]
    table.apply(ids[:1], states((NOW_MS + 1000, 1.35, 103.8)))
    table.advance(NOW_MS + 1000)
    cells, _ = index.count(everyone, everyone, 7)
    assert sorted(cells.counts.sum(axis=1).tolist()) == [1, 2]
    assert cell(1.35, 103.8) in cells.index.tolist()


def test_a_cell_at_the_edge_of_the_view_counts_all_of_its_drivers() -> None:
    table = LiveTable()
    drivers = [details(code=f"DRV-{n}") for n in range(2)]
    for driver in drivers:
        table.put(driver)
    table.apply(
        [driver.id.bytes for driver in drivers],
        states((NOW_MS, 13.7500, 100.5), (NOW_MS, 13.7501, 100.5)),
    )
    table.advance(NOW_MS)
    cells, _ = CellIndex(table).count(np.ones(2, np.bool_), np.array([True, False]), 5)
    assert cells.counts.tolist() == [[2, 0, 0, 0]]


@pytest.mark.parametrize(("zoom", "resolution"), [(0, 0), (3.1, 2), (5.9, 3), (9, 6), (22, 9)])
def test_cells_get_finer_with_the_zoom(zoom: float, resolution: int) -> None:
    assert resolution_for(zoom) == resolution
