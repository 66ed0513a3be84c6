"""One search over orders: what people can say of one finds it, where they may look."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.dispatch import service
from backend.dispatch.numbers import near_numbers, new_number
from backend.dispatch.schemas import OrderOut
from backend.dispatch.search_schemas import OrderFound
from backend.identity.schemas import SYSTEM, GrantScope, Principal
from backend.identity.service import Denied
from backend.platform.resources import Resources
from backend.platform.spelling import last_digits, name_words

from .orders import LUMPINI, marketplace, order_body, place_order

AGENT = Principal("user", "user:agent", "Agent", (GrantScope("support_agent", "TH-10"),))
ELSEWHERE = Principal("user", "user:other", "Other", (GrantScope("support_agent", "IN-KA"),))


async def to(resources: Resources, name: str, phone: str = "+66812345678") -> OrderOut:
    drop = {**order_body()["drop"], "name": name, "phone": phone, **LUMPINI}
    return await place_order(resources, drop=drop)


async def find(
    resources: Resources, q: str, principal: Principal = AGENT, limit: int = 20
) -> list[OrderFound]:
    async with resources.database.unit_of_work() as session:
        return await service.search_orders(session, principal, q, limit)


async def numbers(resources: Resources, q: str, principal: Principal = AGENT) -> list[str]:
    return [found.number for found in await find(resources, q, principal)]


@given(st.data())
def test_a_number_mistyped_once_leaves_few_numbers_and_the_right_one(data: Any) -> None:
    number = new_number()
    body = number.removeprefix("WP-")
    place = data.draw(st.integers(0, len(body) - 1))
    slip = data.draw(st.sampled_from(["wrong", "missing", "extra", "swapped"]))
    other = data.draw(st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
    typed = {
        "wrong": body[:place] + other + body[place + 1 :],
        "missing": body[:place] + body[place + 1 :],
        "extra": body[:place] + other + body[place:],
        "swapped": body[:place] + body[place : place + 2][::-1] + body[place + 2 :],
    }[slip]
    near = near_numbers(data.draw(st.sampled_from(["", "WP-", "wp ", "WP"])) + typed.lower())
    assert number in near
    assert len(near) < 100


async def test_a_number_is_found_in_every_spelling(resources: Resources) -> None:
    order = await place_order(resources)
    await place_order(resources)
    bare = order.number.removeprefix("WP-")
    for typed in (order.number, bare, bare.lower(), f"  {order.number.lower()} ", f"wp{bare}"):
        [found] = await find(resources, typed)
        assert (found.number, found.matched_by, found.score) == (order.number, "number", 1.0)
    assert order.number in await numbers(resources, order.number[:7])
    swapped = f"WP-{bare[1]}{bare[0]}{bare[2:]}"
    [found] = await find(resources, swapped)
    assert found.number == order.number
    assert found.score == (1.0 if swapped == order.number else 0.9)


async def test_the_last_digits_of_a_phone_are_enough(resources: Resources) -> None:
    order = await to(resources, "Malee Srisuk", "+66898887766")
    other = await to(resources, "Anan Chai", "+66811112222")
    for typed in ("7766", "888-7766", "089 888 7766", "+66 89 888 7766", "0066898887766"):
        [found] = await find(resources, typed)
        assert (found.number, found.matched_by) == (order.number, "phone")
    assert await numbers(resources, "2222") == [other.number]
    assert await numbers(resources, "776") == []


async def test_what_is_found_shows_no_more_than_initials_and_ends(resources: Resources) -> None:
    await to(resources, "Malee Srisuk", "+66898887766")
    [found] = await find(resources, "7766")
    assert (found.drop_name, found.drop_phone) == ("M••• S•••", "+6•••66")


@pytest.mark.parametrize(
    "typed",
    ["Malee Srisuk", "srisuk malee", "malee", "SRISUK", "mal sri", "Mallee Srisuk", "Maree Srisok"],
)
async def test_a_name_is_found_in_any_order_and_misspelled(
    resources: Resources, typed: str
) -> None:
    order = await to(resources, "Malee Srisuk")
    await to(resources, "Kittisak Wongsawat")
    [found] = await find(resources, typed)
    assert (found.number, found.matched_by) == (order.number, "name")


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Nguyễn Thị Đào", "nguyen dao"),
        ("Trần Hùng", "hung tran"),
        ("ศรีสุข มาลี", "มาลี"),
        ("O'Brien Reyes", "obrien reyes"),
    ],
)
async def test_marks_of_letters_need_not_be_typed(
    resources: Resources, name: str, typed: str
) -> None:
    order = await to(resources, name)
    await to(resources, "Kittisak Wongsawat")
    assert await numbers(resources, typed) == [order.number]


async def test_the_closest_name_comes_first_and_of_the_same_the_newest(
    resources: Resources,
) -> None:
    longer = await to(resources, "Malee Srisuk Thongchai")
    older = await to(resources, "Malee Srisuk")
    newer = await to(resources, "Malee Srisuk")
    assert await numbers(resources, "Malee Srisuk") == [newer.number, older.number, longer.number]
    assert len(await find(resources, "malee", limit=2)) == 2


async def test_reference_and_barcode_are_found_and_forgive_a_slip(resources: Resources) -> None:
    parcels = [{"barcode": "PC-55501234", "weight_g": 10, "volume_cm3": 0}]
    order = await place_order(resources, reference="KB-7712345", parcels=parcels)
    await place_order(resources)
    for typed, by, score in (
        ("KB-7712345", "reference", 1.0),
        ("kb-7712345", "reference", 1.0),
        ("KB-7721345", "reference", 0.7),
        ("KB-771234", "reference", 0.7),
        ("PC-55501234", "barcode", 1.0),
        ("PC-5550 1234", "barcode", 1.0),
        ("PC-55501243", "barcode", 0.7),
    ):
        [found] = await find(resources, typed)
        assert (found.number, found.matched_by, found.score) == (order.number, by, score)


async def test_an_agent_of_another_region_finds_nothing(resources: Resources) -> None:
    order = await to(resources, "Malee Srisuk", "+66898887766")
    everything = (order.number, order.reference, "7766", "malee", order.parcels[0]["barcode"])
    for typed in everything:
        assert await numbers(resources, typed, ELSEWHERE) == []
        assert await numbers(resources, typed, SYSTEM) == [order.number]


async def test_an_agent_of_a_hub_or_country_finds_what_is_theirs(resources: Resources) -> None:
    order = await to(resources, "Malee Srisuk")
    assert order.hub is not None
    for region, found in (("TH", 1), (order.hub, 1), ("TH-10.nowhere", 0), ("TH-50", 0)):
        there = Principal("user", "user:x", "X", (GrantScope("support_agent", region),))
        assert len(await find(resources, "malee", there)) == found, region


async def test_a_marketplace_finds_its_own_orders_alone_and_sees_them_whole(
    resources: Resources,
) -> None:
    own, _ = await marketplace(resources, "kaveri")
    other, _ = await marketplace(resources, "lotus")
    order = await place_order(resources, own)
    assert await numbers(resources, "malee", other) == []
    [found] = await find(resources, "malee", own)
    assert (found.number, found.drop_name) == (order.number, "Malee Srisuk")


async def test_who_may_not_read_orders_is_refused(resources: Resources) -> None:
    auditor = Principal("user", "user:a", "A", (GrantScope("auditor", "*"),))
    with pytest.raises(Denied):
        await find(resources, "malee", auditor)


@pytest.mark.parametrize(
    "typed", ["", " ", "x", "\x00malee", "%", "__", "%%%%", "'; --", "\\", "(("]
)
async def test_odd_queries_find_nothing_and_break_nothing(resources: Resources, typed: str) -> None:
    await to(resources, "Malee Srisuk")
    assert await find(resources, typed) == []


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("5678", "5678"),
        ("+66 81 234 5678", "66812345678"),
        ("(081) 234-5678", "812345678"),
        ("0066812345678", "66812345678"),
        ("0012", "0012"),
        ("567", None),
        ("MKT-5678", None),
        ("00000000", None),
    ],
)
def test_the_end_of_a_phone_is_read_however_it_is_spelled(typed: str, digits: str | None) -> None:
    assert last_digits(typed) == digits


def test_words_of_a_name_have_letters() -> None:
    assert name_words("Malee  SRISUK, 2nd") == ("malee", "srisuk", "2nd")
    assert name_words("123 456") == ()
