"""What people read of regions: their names."""

from backend.regions.naming import in_place, place_words

_NAMES = {"TH-10": "Bangkok", "IN-KA": "Bengaluru"}


def test_regions_are_told_by_name_once_each() -> None:
    assert place_words(["TH-10", "IN-KA", "TH-10"], _NAMES) == "Bangkok, Bengaluru"
    assert place_words(["*"], _NAMES) == place_words([], _NAMES) == "everywhere"


def test_a_region_without_a_name_is_told_by_its_code() -> None:
    assert place_words(["XX-1"], _NAMES) == "XX-1"


def test_a_place_stands_within_a_sentence() -> None:
    assert in_place("TH-10", _NAMES) == "in Bangkok"
    assert in_place("*", _NAMES) == "everywhere"
