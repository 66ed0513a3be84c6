"""How shares are told."""

from backend.platform.shares import percent


def test_a_share_is_told_with_the_digits_it_takes() -> None:
    assert [percent(each) for each in (0, 0.25, 0.999, 1)] == ["0 %", "25 %", "99.9 %", "100 %"]
    assert [percent(each, 3) for each in (0.9995, 0.123456)] == ["99.95 %", "12.346 %"]
    assert percent(13.672) == "1,367.2 %"


def test_without_digits_tens_keep_their_zero() -> None:
    assert [percent(each, 0) for each in (0, 0.1, 0.256, 1)] == ["0 %", "10 %", "26 %", "100 %"]
