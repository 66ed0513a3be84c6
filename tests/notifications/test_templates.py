"""Every message is written in every language, with the same names in it, and spelled as there."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from backend.dispatch.doorstep_rules import FailReason
from backend.notifications.language import LANGUAGES, spoken
from backend.notifications.message_rules import Kind, language_of
from backend.notifications.phrases import driver_words, money_words, reason_words, time_words
from backend.notifications.service import languages, list_templates, preview_template
from backend.notifications.wording import fill
from backend.platform.errors import Invalid

_NAMES = re.compile(r"{(\w+)}")
_SCRIPTS = {
    "hi": "\u0900-\u097f",
    "bn": "\u0980-\u09ff",
    "ta": "\u0b80-\u0bff",
    "th": "\u0e00-\u0e7f",
}
EVENING = datetime(2026, 3, 2, 13, 10, tzinfo=UTC)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_message_with_the_same_names(language: str) -> None:
    english, other = spoken("en"), spoken(language)
    assert set(other.templates) == set(english.templates) == set(Kind) - {Kind.NOTE}
    for kind, template in english.templates.items():
        assert set(_NAMES.findall(other.templates[kind].text)) == set(
            _NAMES.findall(template.text)
        ), kind
        assert set(_NAMES.findall(other.templates[kind].title)) <= {"number"}, kind
    assert set(other.reasons) == set(english.reasons) <= set(FailReason)


@pytest.mark.parametrize("language", sorted(_SCRIPTS))
def test_a_language_is_written_in_its_own_script(language: str) -> None:
    for kind, template in spoken(language).templates.items():
        own = re.findall(f"[{_SCRIPTS[language]}]", template.text + template.title)
        assert len(own) > 20, (kind, template.text)


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_no_message_is_left_in_english(language: str) -> None:
    english, other = spoken("en"), spoken(language)
    for kind in english.templates:
        assert other.templates[kind].text != english.templates[kind].text
        assert other.templates[kind].title != english.templates[kind].title


def test_a_preview_leaves_no_name_open() -> None:
    for template in list_templates():
        for language in languages():
            shown = preview_template(template.key, language, {"text": "OK"})
            assert "{" not in shown
            assert "  " not in shown


def test_a_preview_is_filled_with_what_is_given() -> None:
    assert "WP-1" in preview_template("otp", "th", {"number": "WP-1"})
    with pytest.raises(Invalid):
        preview_template("otp", "xx", {})
    with pytest.raises(Invalid):
        preview_template("nothing", "en", {})


def test_words_that_come_in_are_no_template() -> None:
    written = fill(Kind.INCIDENT_NOTICE, "en", {"number": "WP-1", "text": "{code} {0.__class__}"})
    assert written.text == "Waypost, about your order WP-1: {code} {0.__class__}"


def test_a_message_that_lacks_something_says_what() -> None:
    with pytest.raises(Invalid) as refused:
        fill(Kind.OTP, "en", {"number": "WP-1"})
    assert [each.pointer for each in refused.value.errors] == ["/params/code", "/params/minutes"]


def test_an_unknown_reason_leaves_no_gap() -> None:
    reason = reason_words(spoken("en"), "lost in a flood")
    written = fill(Kind.FAILED, "en", {"number": "WP-1", "reason": reason, "link": "https://x"})
    assert "WP-1. See what" in written.text


@pytest.mark.parametrize(
    ("language", "zone", "words"),
    [
        ("en", "Asia/Kolkata", "6:40 PM"),
        ("th", "Asia/Bangkok", "20:10 น."),
        ("id", "Asia/Jakarta", "20.10"),
        ("vi", "Asia/Ho_Chi_Minh", "20:10"),
        ("ms", "Asia/Kuala_Lumpur", "9:10 PTG"),
        ("bn", "Asia/Dhaka", "7:10 PM"),
    ],
)
def test_a_time_is_told_by_the_readers_clock(language: str, zone: str, words: str) -> None:
    assert time_words(spoken(language), EVENING, EVENING, zone) == words


def test_another_day_is_named() -> None:
    """20:30 UTC on 2 March is 2:00 on 3 March in Kolkata; midnight and noon are twelve."""
    late = EVENING.replace(hour=20, minute=30)
    assert time_words(spoken("en"), late, EVENING, "Asia/Kolkata") == "3/3 2:00 AM"
    midnight = EVENING.replace(hour=18, minute=30)
    assert time_words(spoken("en"), midnight, EVENING, "Asia/Kolkata") == "3/3 12:00 AM"


@pytest.mark.parametrize(
    ("minor", "currency", "words"),
    [
        (12_500_000, "INR", "₹1,25,000.00"),
        (125_000, "INR", "₹1,250.00"),
        (99, "INR", "₹0.99"),
        (1_234_567_890, "BDT", "৳1,23,45,678.90"),
        (125_000, "VND", "125.000 ₫"),
        (12_500_000, "IDR", "Rp125.000"),
        (12_500_050, "IDR", "Rp125.000,50"),
        (125_000, "THB", "฿1,250.00"),
        (100_005, "MYR", "RM1,000.05"),
        (-125_000, "PHP", "-₱1,250.00"),
        (125_000, "LAK", "LAK 1,250.00"),
    ],
)
def test_an_amount_is_written_as_where_it_is_spent(minor: int, currency: str, words: str) -> None:
    assert money_words(minor, currency) == words


def test_a_driver_is_called_as_the_language_does() -> None:
    assert driver_words(spoken("fil"), "Jose") == "si Jose"
    assert driver_words(spoken("th"), "สมชาย") == "คุณสมชาย"
    assert driver_words(spoken("en"), None) == "our driver"


@pytest.mark.parametrize(
    ("region", "language"),
    [
        ("TH-10.siam", "th"), ("IN-KA", "en"), ("IN-DL.saket", "hi"), ("IN-TN", "ta"),
        ("BD-13", "bn"), ("PH-00", "fil"), ("MY-14", "ms"), ("SG-01", "en"), ("ID-JK", "id"),
        ("VN-SG", "vi"), ("LK-1", "en"), ("NP-P3", "en"),
    ],
)  # fmt: skip
def test_people_are_written_to_in_the_language_of_their_region(region: str, language: str) -> None:
    assert language_of(region) == language
