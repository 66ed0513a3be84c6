"""What a context is served: flagd's operators, sticky shares, prerequisites, broken logic."""

from __future__ import annotations

import copy
import logging
from time import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import OpenFeatureError

from backend.flags import FlagSet, evaluate
from backend.flags.compiling import document_of, published_of
from backend.flags.evaluation import Evaluation
from backend.flags.logic import KNOWN_OPERATORS
from tests.flags.conftest import rule, spec

SUM = {"+": [{"var": "current"}, {"var": "accumulator"}]}
NAMES = ["n", "t", "u.name", "tags", "tags.0", "targetingKey", "$flagd.flagKey", "none"]
PLAIN = ["and", "or", "!", "!!", "==", "===", "!=", "<", "in", "cat", "if", "starts_with", "merge"]
VERSIONS = ["5.2.0", "5", "v1.0.0-rc.1", "no"]
YES_NO = {"yes": "yes", "no": "no"}


def flag(targeting: Any, variants: Any = None, **more: Any) -> dict[str, Any]:
    definition = {
        "state": "ENABLED", "variants": variants or YES_NO, "defaultVariant": None,
        "targeting": targeting, **more,
    }  # fmt: skip
    return {"flags": {"f": definition}}


def asked(condition: Any, **context: Any) -> str | None:
    """`yes` or `no`, as the condition holds."""
    found = evaluate(flag({"if": [condition, "yes", "no"]}), "f", context)
    assert found.error_code is None, found
    return found.variant


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"==": [{"var": "city"}, "TH-10"]}, True),
        ({"==": [{"var": "n"}, "5"]}, True),
        ({"===": [{"var": "n"}, "5"]}, False),
        ({"!=": [{"var": "city"}, "TH-10"]}, False),
        ({"!==": [{"var": "n"}, 5]}, False),
        ({"<": [{"var": "n"}, 6]}, True),
        ({"<": [1, {"var": "n"}, 9]}, True),
        ({"<=": [{"var": "n"}, 5]}, True),
        ({">": [{"var": "n"}, 5]}, False),
        ({">=": [{"var": "n"}, 5]}, True),
        ({"!": [{"var": "missing"}]}, True),
        ({"!!": [{"var": "tags"}]}, True),
        ({"and": [True, {"var": "city"}]}, True),
        ({"or": [False, {"var": "missing"}]}, False),
        ({"?:": [{"var": "missing"}, True, False]}, False),
        ({"in": [{"var": "city"}, ["TH-10", "VN-SG"]]}, True),
        ({"in": ["H-1", {"var": "city"}]}, True),
        ({"in": ["vip", {"var": "tags"}]}, True),
        ({"starts_with": [{"var": "city"}, "TH"]}, True),
        ({"starts_with": [{"var": "n"}, "5"]}, False),
        ({"ends_with": [{"var": "city"}, "-10"]}, True),
        ({"sem_ver": [{"var": "v"}, ">=", "5.2.0"]}, True),
        ({"sem_ver": [{"var": "v"}, "^", "5"]}, True),
        ({"sem_ver": [{"var": "v"}, "~", "5.2"]}, False),
        ({"sem_ver": [{"var": "city"}, "=", "1.0.0"]}, False),
        ({"some": [{"var": "tags"}, {"==": [{"var": ""}, "vip"]}]}, True),
        ({"all": [{"var": "tags"}, {"in": ["i", {"var": ""}]}]}, False),
        ({"none": [{"var": "tags"}, {"==": [{"var": ""}, "old"]}]}, True),
        ({"filter": [{"var": "tags"}, {"==": [{"var": ""}, "old"]}]}, False),
        ({"==": [{"map": [[1, 2], {"*": [{"var": ""}, 2]}]}, [2, 4]]}, False),
        ({"==": [{"reduce": [[1, 2], SUM, 0]}, 3]}, True),
        ({"==": [{"cat": ["TH", "-10"]}, {"var": "city"}]}, True),
        ({"==": [{"substr": [{"var": "city"}, 0, 2]}, "TH"]}, True),
        ({"==": [{"+": [2, 3]}, {"var": "n"}]}, True),
        ({"==": [{"-": [7, 2]}, {"var": "n"}]}, True),
        ({"==": [{"*": [2.5, 2]}, {"var": "n"}]}, True),
        ({"==": [{"/": [10, 2]}, {"var": "n"}]}, True),
        ({"==": [{"%": [11, 6]}, {"var": "n"}]}, True),
        ({"==": [{"min": [5, 9]}, {"var": "n"}]}, True),
        ({"==": [{"max": [1, 5]}, {"var": "n"}]}, True),
        ({"in": ["vip", {"merge": [{"var": "tags"}, ["x"]]}]}, True),
        ({"missing": ["city", "absent"]}, True),
        ({"missing_some": [1, ["city", "absent"]]}, False),
        ({"==": [{"var": ["absent", "there"]}, "there"]}, True),
        ({"==": [{"var": "user.name"}, "jack"]}, True),
        ({"==": [{"var": "tags.0"}, "vip"]}, True),
        ({"==": [{"var": "$flagd.flagKey"}, "f"]}, True),
        ({"fractional": [[False, 0], [True, 100]]}, True),
    ],
)  # fmt: skip
def test_every_targeting_operator(condition: Any, holds: bool) -> None:
    context = {
        "targetingKey": "u1", "city": "TH-10", "n": 5, "v": "5.10.1-rc.1",
        "tags": ["vip", "x"], "user": {"name": "jack"},
    }  # fmt: skip
    assert asked(condition, **context) == ("yes" if holds else "no")


def test_no_operator_goes_untried() -> None:
    tried = set()
    for mark in test_every_targeting_operator.pytestmark:  # type: ignore[attr-defined]
        for condition, _ in mark.args[1]:
            left = [condition]
            while left:
                part = left.pop()
                if isinstance(part, dict):
                    tried |= set(part)
                    left += part.values()
                elif isinstance(part, list):
                    left += part
    # `if` is in every one of them; `log` writes to the output and is refused at save.
    assert KNOWN_OPERATORS - tried - {"if"} == {"log"}


def test_time_is_now() -> None:
    now = int(time())
    targeting = {"if": [{">=": [{"var": "$flagd.timestamp"}, now]}, "yes", "no"]}
    assert evaluate(flag(targeting), "f", {}).variant == "yes"


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("jack", "diamonds"),
        ("queen", "diamonds"),
        ("ten", "clubs"),
        ("nine", "clubs"),
        (3, "spades"),
    ],
)
def test_shares_fall_as_the_third_version_of_flagds_bucketing_has_them(
    name: Any, variant: str
) -> None:
    """Vectors of the public test bed of flagd."""
    suits = ("clubs", "diamonds", "hearts", "spades")
    by = {"cat": [{"var": "$flagd.flagKey"}, {"var": "user.name"}]}
    targeting = {"fractional": [by, *([suit, 25] for suit in suits)]}
    document = {
        "state": "ENABLED",
        "variants": {suit: suit for suit in suits},
        "targeting": targeting,
    }
    definitions = {"flags": {"fractional-flag": document}}
    found = evaluate(definitions, "fractional-flag", {"user": {"name": name}})
    assert found.variant == variant


@pytest.mark.parametrize(
    ("key", "variant"), [("user-1", "heads"), ("user-2", "tails"), ("user-3", "heads")]
)
def test_shares_by_targeting_key_fall_as_there(key: str, variant: str) -> None:
    targeting = {"fractional": [["heads"], ["tails", 1]]}
    coin = {"state": "ENABLED", "variants": {"heads": 1, "tails": 0}, "targeting": targeting}
    definitions = {"flags": {"fractional-flag-shorthand": coin}}
    found = evaluate(definitions, "fractional-flag-shorthand", {"targetingKey": key})
    assert found.variant == variant


values = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from(["", "a", "ab", "5.2.0", "x.y"])
)
operands = st.one_of(
    values,
    st.sampled_from(NAMES).map(lambda name: {"var": name}),
)  # fmt: skip


def _larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.builds(lambda name, args: {name: args}, st.sampled_from(PLAIN), several),
        st.builds(
            lambda a, v, op: {"sem_ver": [a, op, v]},
            inner, st.sampled_from(VERSIONS), st.sampled_from(["=", "<", "^", "~", ">=", "?"]),
        ),
        st.builds(lambda a, w: {"fractional": [["a", w], [a, 5]]}, inner, st.integers(-1, 9)),
        st.builds(lambda key: {"var": key}, inner),
        st.builds(lambda items: {"fractional": [{"merge": items}, ["a", 1], ["x", 3]]}, several),
        st.builds(lambda by, w: {"fractional": [by, ["a", w], ["x", 3]]}, inner, st.integers(0, 9)),
        st.builds(
            lambda op, items: {op: [{"var": "tags"}, items]},
            st.sampled_from(["some", "all", "none", "map"]), inner,
        ),
    )  # fmt: skip


logic = st.recursive(operands, _larger, max_leaves=12)
contexts = st.fixed_dictionaries(
    {},
    optional={
        "n": st.integers(-3, 6), "t": st.sampled_from(["a", "5.2.1", "ab"]),
        "u": st.just({"name": "a"}), "tags": st.lists(st.sampled_from(["a", "b"]), max_size=2),
        "targetingKey": st.sampled_from(["k1", "k2", "a"]),
    },
)  # fmt: skip


def by_library(definitions: dict[str, Any], context: dict[str, Any]) -> tuple[Any, ...]:
    core = FlagdCore()
    try:
        core.set_flags(copy.deepcopy(definitions))
        attributes = {name: value for name, value in context.items() if name != "targetingKey"}
        asking = EvaluationContext(context.get("targetingKey"), attributes)
        found = core._resolve("f", None, asking)
    except OpenFeatureError as error:
        return (None, None, error.error_code.value)
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError):
        return (None, None, "GENERAL")
    return (found.value, found.variant, str(found.reason))


def ours(found: Evaluation) -> tuple[Any, ...]:
    return (found.value, found.variant, found.error_code or found.reason)


@settings(max_examples=600)
@given(logic, contexts)
def test_answers_are_those_of_flagd_core(targeting: Any, context: dict[str, Any]) -> None:
    if not isinstance(targeting, dict):
        targeting = {"if": [targeting, "a", "x"]}
    variants = {"a": "a", "x": "x", "true": "t", "false": "f", "5": "five"}
    definitions = flag(targeting, variants, defaultVariant="x")
    assert ours(evaluate(definitions, "f", context)) == by_library(definitions, context)


@pytest.mark.parametrize("share", [0, 1, 12_500, 50_000, 99_999, 100_000])
def test_users_stay_where_they_are_and_a_growing_share_takes_nobody_out(share: int) -> None:
    def on(thousandths: int) -> set[int]:
        wanted = spec(rules=[rule(1, ("country", "any_of", ["TH"]), share=thousandths)])
        flags = FlagSet(document_of({wanted.key: published_of(wanted)}, {}))
        found = set()
        for user in range(100_000):
            context = {"targetingKey": f"user-{user}", "country": "TH"}
            if flags.evaluate(wanted.key, context).variant == "on":
                found.add(user)
        return found

    now = on(share)
    assert now == on(share)
    assert now <= on(min(100_000, share + 7_001))
    # Within five standard deviations of what was asked for.
    expected = share
    spread = 5 * (100_000 * (share / 100_000) * (1 - share / 100_000)) ** 0.5
    assert abs(len(now) - expected) <= max(spread, 0)


def test_each_flag_shares_out_anew() -> None:
    both = 0
    documents = {}
    for key in ("one", "two"):
        wanted = spec(key, rules=[rule(1, share=50_000)])
        documents[key] = published_of(wanted)
    flags = FlagSet(document_of(documents, {}))
    for user in range(10_000):
        context = {"targetingKey": f"user-{user}"}
        both += all(flags.evaluate(key, context).variant == "on" for key in ("one", "two"))
    assert 2_300 < both < 2_700


def test_shares_by_another_attribute_keep_its_bearers_together() -> None:
    by_hub = {**rule(1, share=50_000), "by": "hub"}
    wanted = spec(rules=[by_hub])
    flags = FlagSet(document_of({wanted.key: published_of(wanted)}, {}))

    def variant(**context: Any) -> str | None:
        return flags.evaluate(wanted.key, context, strict=True).variant

    for hub in (f"TH-10.h{number}" for number in range(50)):
        assert len({variant(hub=hub, targetingKey=f"u{user}") for user in range(20)}) == 1
    assert {variant(hub=f"TH-10.h{number}") for number in range(50)} == {"on", "off"}
    assert variant(targetingKey="u1") == "off"


def test_a_missing_targeting_key_is_an_error_only_where_shares_need_it() -> None:
    wanted = spec(
        rules=[
            rule(1, ("country", "any_of", ["TH"])),
            rule(2, ("country", "any_of", ["VN"]), share=5),
        ]
    )
    flags = FlagSet(document_of({wanted.key: published_of(wanted)}, {}))
    assert flags.evaluate(wanted.key, {"country": "TH"}, strict=True).variant == "on"
    assert flags.evaluate(wanted.key, {"country": "SG"}, strict=True).variant == "off"
    missing = flags.evaluate(wanted.key, {"country": "VN"}, strict=True)
    assert (missing.error_code, missing.value) == ("TARGETING_KEY_MISSING", None)


def test_an_unmet_prerequisite_serves_the_off_variant() -> None:
    parent = spec("parent", rules=[rule(1, ("country", "any_of", ["TH"]))])
    child = spec("child", default_variant="on", prerequisites=[{"key": "parent", "variant": "on"}])
    flags = FlagSet(document_of({one.key: published_of(one) for one in (parent, child)}, {}))
    assert flags.evaluate("child", {"country": "TH"}).variant == "on"
    assert flags.evaluate("child", {"country": "VN"}).variant == "off"
    assert "prerequisites" not in flags.evaluate("child", {"country": "TH"}).metadata


def test_a_flag_that_is_off_is_an_explicit_answer() -> None:
    wanted = spec(on=False, rules=[rule(1)])
    found = evaluate(document_of({wanted.key: published_of(wanted)}, {}), wanted.key, {})
    assert (found.value, found.variant, found.reason) == (False, "off", "STATIC")


@pytest.mark.parametrize(
    ("definitions", "code"),
    [
        ({"flags": {}}, "FLAG_NOT_FOUND"),
        (flag({"nonsense": [1]}), "PARSE_ERROR"),
        (flag({"if": [{"$ref": "gone"}, "yes"]}), "PARSE_ERROR"),
        (flag({"if": [True, "neither"]}), "GENERAL"),
        (flag({"/": [1, 0]}), "GENERAL"),
        ({"flags": {"f": {"state": "BROKEN", "variants": {"a": 1}}}}, "PARSE_ERROR"),
        ("{not json", "PARSE_ERROR"),
        ({**flag({"$ref": "a"}), "$evaluators": {"a": {"$ref": "a"}}}, "PARSE_ERROR"),
    ],
)  # fmt: skip
def test_what_is_broken_says_so(definitions: Any, code: str) -> None:
    found = evaluate(definitions, "f", {"targetingKey": "u"})
    assert (found.reason, found.error_code, found.value) == ("ERROR", code, None)
    assert found.error_details


def test_a_value_of_another_type_than_expected_is_a_mismatch() -> None:
    definitions = {
        "flags": {"f": {"state": "ENABLED", "variants": {"t": True}, "defaultVariant": "t"}}
    }
    assert evaluate(definitions, "f", expected="boolean").value is True
    assert evaluate(definitions, "f", expected="integer").error_code == "TYPE_MISMATCH"


def test_a_disabled_flag_and_one_without_default_leave_it_to_the_program() -> None:
    disabled = {"flags": {"f": {"state": "DISABLED", "variants": {"t": 1}, "defaultVariant": "t"}}}
    assert ours(evaluate(disabled, "f")) == (None, None, "DISABLED")
    assert ours(evaluate(flag({"if": [False, "yes"]}), "f")) == (None, None, "DEFAULT")


def test_a_float_stays_a_float_and_a_large_integer_whole() -> None:
    definitions = {
        "flags": {
            "f": {
                "state": "ENABLED",
                "variants": {"a": 10.0, "b": 2**53 - 1},
                "defaultVariant": "a",
            }
        }
    }
    found = evaluate(definitions, "f").value
    assert (found, type(found)) == (10.0, float)


def test_a_malformed_version_leaves_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert asked({"sem_ver": [{"var": "v"}, "=", {"var": "w"}]}, v="x", w="y") == "no"
    assert caplog.text == ""
