"""The customer's page in nine languages: complete in each, and chosen as its reader would."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from backend.dispatch import customer_words, service
from backend.dispatch.customer_rules import steps_of
from backend.dispatch.customer_words import accepted, choose, languages, spoken, words_in
from backend.dispatch.doorstep_rules import Proof
from backend.dispatch.lifecycle import Circumstances
from backend.dispatch.rules import Action, OrderState
from backend.identity.schemas import SYSTEM
from backend.platform import clock
from backend.platform.resources import Resources
from tests.dispatch.orders import advance, place_order
from tests.dispatch.test_customer_page import AT_THE_DOOR, LEAVE, driver_at, html, token_of, told

NINE = {"en", "hi", "th", "vi", "id", "bn", "ta", "fil", "ms"}
# What each script writes with, so that no language is left in another's words.
SCRIPTS = {
    "hi": "\u0900-\u097f",
    "th": "\u0e00-\u0e7f",
    "bn": "\u0980-\u09ff",
    "ta": "\u0b80-\u0bff",
}


def content(language: str) -> Mapping[str, Any]:
    folder = customer_words.files("backend.dispatch").joinpath("customer_words")
    loaded: Mapping[str, Any] = yaml.safe_load(
        folder.joinpath(f"{language}.yaml").read_text("utf-8")
    )
    return loaded


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", text))


def test_there_are_nine_languages_each_by_its_own_name() -> None:
    assert set(languages()) == NINE
    assert len(set(languages().values())) == 9


@pytest.mark.parametrize("language", sorted(NINE - {"en"}))
def test_every_language_says_all_that_english_says(language: str) -> None:
    english, words = words_in("en"), words_in(language)
    assert words.keys == english.keys
    for key in english.keys:
        assert placeholders(words.find(key) or "") == placeholders(english.find(key) or ""), key
        assert (words.find(key) or "").strip(), key
    assert (len(words.days), len(words.months)) == (7, 12)
    said = [key for key in english.keys if len(english.find(key) or "") > 30]
    assert [key for key in said if words.find(key) == english.find(key)] == []


@pytest.mark.parametrize("language", sorted(SCRIPTS))
def test_a_language_is_written_in_its_own_script(language: str) -> None:
    own = re.compile(f"[{SCRIPTS[language]}]")
    words = words_in(language)
    assert [key for key in words.keys if key != "date.at" and not own.search(words.find(key) or "")
            and not placeholders(words.find(key) or "")] == []  # fmt: skip


@pytest.mark.parametrize("language", sorted(NINE))
def test_whatever_happens_to_an_order_has_words(language: str) -> None:
    words, now = words_in(language), clock.now()
    for state in OrderState:
        assert words.say(f"headline.{state}")
        for step in steps_of(state, {"order.created": now, "order.failed": now}):
            assert words.say(f"step.{step.key}")
            assert words.say(f"mark.{step.mark}")
    for proof in Proof:
        assert words.say(f"proof.{proof}")


def test_what_is_asked_for_goes_before_the_preference_the_browser_and_the_region() -> None:
    assert choose("ta", "hi", "bn", "th").language == "ta"
    assert choose(None, "hi", "bn", "th").language == "hi"
    assert choose(None, None, "bn", "th").language == "bn"
    assert choose(None, None, "", "th").language == "th"
    assert choose("xx", None, "de-DE, fr;q=0.8", "th").language == "th"
    assert choose("", None, "", "xx").language == "en"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("th", "th"),
        ("TH-th", "th"),
        ("de, ms;q=0.3, vi;q=0.7", "vi"),
        ("en;q=0, id", "id"),
        ("tl-PH, en;q=0.9", "fil"),
        ("in-ID", "id"),
        ("fil-PH,fil;q=0.9,en-US;q=0.8", "fil"),
        ("*", None),
        ("zh-Hant, de", None),
        ("th;q=nonsense", None),
        ("", None),
    ],
)
def test_a_browsers_languages_are_read_by_their_weight(header: str, language: str | None) -> None:
    assert accepted(header) == language


@given(st.text())
def test_rubbish_for_a_language_is_none(text: str) -> None:
    assert accepted(text) is None or accepted(text) in NINE
    assert spoken(text) is None or spoken(text) in NINE


@pytest.mark.parametrize("language", sorted(NINE))
async def test_the_page_and_what_it_polls_speak_the_language(
    client: httpx.AsyncClient, resources: Resources, language: str
) -> None:
    order = await place_order(resources)
    phone = await driver_at(client, resources, AT_THE_DOOR)
    await advance(resources, order.id, *LEAVE, driver=phone.id)
    page, seen = await html(client, order, language), await told(client, order, language)
    headline = words_in(language).say("headline.in_transit")
    assert f'<html lang="{language}"' in page
    assert f"<span>{headline}</span>" in page
    assert seen["headline"] == headline
    assert f'data-revision="{seen["revision"]}"' in page
    assert f"/api/track/{token_of(order)}?lang={language}" in page
    assert "{" not in re.sub(r"<script.*?</script>", "", page)


async def test_a_page_nobody_chose_a_language_for_speaks_the_regions(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await place_order(resources)
    path = f"/track/{token_of(order)}"
    assert '<html lang="th"' in (await client.get(path)).text
    asked = await client.get(path, headers={"Accept-Language": "hi-IN, en;q=0.5"})
    assert '<html lang="hi"' in asked.text
    assert asked.headers["content-language"] == "hi"
    assert asked.headers["vary"] == "Accept-Language"
    odd = await client.get(path, params={"lang": "<script>"})
    assert '<html lang="th"' in odd.text
    assert "<script>" not in odd.text
    nowhere = await client.get(f"/track/{'A' * 43}", params={"lang": "bn"})
    assert words_in("bn").say("nowhere.title") in nowhere.text


async def test_a_failure_is_told_in_the_customers_language(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    order = await place_order(resources)
    phone = await driver_at(client, resources, AT_THE_DOOR)
    await advance(resources, order.id, *LEAVE, driver=phone.id)
    async with resources.database.unit_of_work() as session:
        row = await service.order_to_change(session, SYSTEM, "orders:write", order.id)
        reason = Circumstances(reason="nobody_there")
        await service.move(session, SYSTEM, row, Action.FAIL, reason)
    assert words_in("ta").say("failure.nobody_there") in await html(client, order, "ta")


async def test_the_page_is_light_or_dark_as_the_phone_is(client: httpx.AsyncClient) -> None:
    style = (await client.get("/track/page.css")).text
    light = re.search(r"@media \(prefers-color-scheme:light\)\{:root\{(.*?)\}\}", style, re.DOTALL)
    assert light is not None
    assert {"--wp-ground", "--wp-text", "--wp-accent"} <= set(re.findall(r"--wp-[\w-]+", light[1]))
    assert "color-scheme: light" in light[1]
    assert style.count("{") == style.count("}")
    page = (await client.get(f"/track/{'A' * 43}")).text
    assert "data-theme" not in page
