"""Compiled flags answer what flagd's own evaluator answers, for whatever it is given."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import OpenFeatureError

from backend.flags.evaluation import Evaluation, FlagSet

ATTRIBUTES = ["country", "city", "app_version", "email", "age", "segment", "nested", "targetingKey"]
VERSIONS = ["1.2.3", "v1.2", "2", "1.2.3-rc.1", "1.2.4+build", "one", "", "1.2.3.4", "0.0.0"]
WORDS = ["TH", "TH-10", "on", "off", "a", "1", "", "ก", "x" * 30, "x" * 300]

plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 200_000),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.sampled_from(WORDS + VERSIONS),
)
names = st.sampled_from([*ATTRIBUTES, "$flagd.flagKey", "nested.city", "nested.list.0", "", "none"])
variables = st.one_of(
    st.builds(lambda name: {"var": name}, names),
    st.builds(lambda name: {"var": [name]}, names),
    st.builds(lambda name, default: {"var": [name, default]}, names, plain),
)
BINARY = [
    "==",
    "!=",
    "===",
    "!==",
    "<",
    ">",
    "<=",
    ">=",
    "in",
    "starts_with",
    "ends_with",
    "+",
    "-",
]
BINARY += ["*", "/", "%", "min", "max", "cat", "merge", "map", "filter", "all", "some", "none"]
ANY_ARITY = [
    "if",
    "?:",
    "and",
    "or",
    "!",
    "!!",
    "missing",
    "missing_some",
    "substr",
    "log",
    "reduce",
]
comparisons = st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "^", "~", "?"])


def expressions(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Every operator, over operands of every kind."""
    weights = st.one_of(st.integers(-3, 100), st.just(2_147_483_647), st.booleans(), inner)
    pairs = st.lists(
        st.one_of(
            st.tuples(st.sampled_from(["on", "off", "gone"]), weights).map(list),
            st.just(["on"]),
            st.just([]),
        ),
        max_size=4,
    )
    return st.one_of(
        st.builds(lambda op, a, b: {op: [a, b]}, st.sampled_from(BINARY), inner, inner),
        st.builds(lambda a, b: {"in": [a, b]}, inner, st.lists(plain, max_size=4)),
        st.builds(lambda a: {"==": [a, "TH"]}, inner),
        st.builds(
            lambda op, args: {op: args}, st.sampled_from(ANY_ARITY), st.lists(inner, max_size=5)
        ),
        st.builds(lambda op, arg: {op: arg}, st.sampled_from(ANY_ARITY), inner),
        st.builds(lambda a, op, b: {"sem_ver": [a, op, b]}, inner, comparisons, inner),
        st.builds(
            lambda a, op, b: {"sem_ver": [a, op, b]},
            variables,
            comparisons,
            st.sampled_from(VERSIONS),
        ),
        st.builds(lambda shares: {"fractional": shares}, pairs),
        st.builds(lambda by, shares: {"fractional": [by, *shares]}, inner, pairs),
        st.builds(
            lambda by, shares: {"fractional": [{"cat": [{"var": "$flagd.flagKey"}, by]}, *shares]},
            variables,
            pairs,
        ),
        st.builds(lambda op, a: {op: [a]}, st.sampled_from(["unknown", "var.x", "a.b"]), inner),
        st.lists(inner, max_size=3),
    )


@st.composite
def logic(draw: st.DrawFn, depth: int = 3) -> Any:
    """A value, a variable, or an operator over more of these."""
    if depth == 0 or draw(st.integers(0, 2)) == 0:
        return draw(st.one_of(plain, variables))
    return draw(expressions(logic(depth - 1)))


@st.composite
def targeting(draw: st.DrawFn) -> Any:
    """What may stand under a flag's `targeting`."""
    return draw(expressions(logic()).filter(lambda node: isinstance(node, dict)))


values = st.one_of(
    plain, st.lists(plain, max_size=3), st.just({"city": "TH-10", "list": ["TH", 1, None]})
)
contexts = st.dictionaries(
    st.sampled_from([name for name in ATTRIBUTES if name != "targetingKey"]), values
)
users = st.one_of(st.none(), st.just(""), st.sampled_from(["u1", "u2", "ก", "user" * 80]))
VARIANTS = {"on": True, "off": False, "true": 1, "none": None, "1": "one", "TH": {"a": 1.0}}


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    """flagd tells its log of every oddity; millions of them are not wanted here."""
    logger = logging.getLogger("openfeature.contrib")
    logger.disabled = True
    yield
    logger.disabled = False


def reference(document: dict[str, Any], key: str, context: dict[str, Any]) -> tuple[Any, ...]:
    """What flagd's evaluator makes of it: value, variant, reason, error code, metadata."""
    core = FlagdCore()
    core.set_flags(copy.deepcopy(document))
    attributes = {name: value for name, value in context.items() if name != "targetingKey"}
    asked = EvaluationContext(context.get("targetingKey"), attributes)
    try:
        with redirect_stdout(StringIO()):
            found = core._resolve(key, None, asked)
    except OpenFeatureError as error:
        return (None, None, "ERROR", error.error_code.value, None)
    except Exception:  # noqa: BLE001 - whatever an operator raises
        return (None, None, "ERROR", "GENERAL", None)
    return (found.value, found.variant, found.reason.value, None, dict(found.flag_metadata))


def told(outcome: Evaluation) -> tuple[Any, ...]:
    """An outcome in the same words."""
    metadata = None if outcome.error_code else dict(outcome.metadata)
    return (outcome.value, outcome.variant, outcome.reason, outcome.error_code, metadata)


def same(one: tuple[Any, ...], two: tuple[Any, ...]) -> bool:
    """Whether they are equal and of the same types: `1`, `1.0` and `True` are not one another."""
    return repr(one) == repr(two)


def document_of(targeting_: Any, **more: Any) -> dict[str, Any]:
    flag = {"state": "ENABLED", "variants": VARIANTS, "defaultVariant": "off", **more}
    return {
        "flags": {"the-flag": {**flag, "targeting": targeting_, "metadata": {"team": "a"}}},
        "metadata": {"team": "b", "set": 1},
    }


@settings(
    max_examples=300,
    suppress_health_check=list(HealthCheck),
)
@given(targeting(), contexts, users)
def test_any_targeting_comes_out_as_with_flagd(
    node: dict[str, Any], context: dict[str, Any], user: str | None
) -> None:
    asked = {**context, "targetingKey": user}
    document = document_of(node)
    expected = reference(document, "the-flag", asked)
    with redirect_stdout(StringIO()) as printed:
        found = FlagSet(document).evaluate("the-flag", asked)
    assert same(told(found), expected)
    assert not printed.getvalue()


@settings(max_examples=200)
@given(
    st.sampled_from(["ENABLED", "DISABLED"]),
    st.sampled_from(["on", "off", "gone", "none", "", None, True, False]),
    st.sampled_from([None, {}, {"var": "country"}, {"if": [True, None]}, {"if": [True, True]}]),
)
def test_states_and_defaults_come_out_as_with_flagd(
    state: str, default: Any, node: dict[str, Any] | None
) -> None:
    document = document_of(node, state=state, defaultVariant=default)
    expected = reference(document, "the-flag", {"country": "TH"})
    assert same(told(FlagSet(document).evaluate("the-flag", {"country": "TH"})), expected)


@settings(max_examples=150)
@given(
    st.one_of(
        st.text(), st.integers(), st.floats(allow_nan=False), st.booleans(),
        st.dictionaries(st.text(max_size=3), st.floats(allow_nan=False), max_size=3),
    )
)  # fmt: skip
def test_whatever_shares_go_by_falls_into_flagds_bucket(by: Any) -> None:
    shares = [["on", 33_333], ["off", 33_333], ["true", 33_334]]
    document = document_of({"fractional": [{"var": "by"}, *shares]})
    context = {"by": by, "targetingKey": "u"}
    expected = reference(document, "the-flag", context)
    assert same(told(FlagSet(document).evaluate("the-flag", context)), expected)


def test_shared_rules_are_put_in_where_they_are_named() -> None:
    document = document_of({"if": [{"$ref": "thai"}, "on", {"$ref": "unheard-of"}]})
    document["$evaluators"] = {
        "thai": {"or": [{"$ref": "bangkok"}, {"==": [{"var": "country"}, "TH"]}]},
        "bangkok": {"==": [{"var": "city"}, "BKK"]},
    }
    flags = FlagSet(document)
    for context in ({"country": "TH"}, {"city": "BKK"}, {"country": "VN"}):
        found = flags.evaluate("the-flag", context)
        assert same(told(found), reference(document, "the-flag", context))
    assert flags.evaluate("the-flag", {"country": "VN"}).error_code == "PARSE_ERROR"


def test_raising_a_share_takes_nobody_out_and_is_as_large_as_it_says() -> None:
    def served(share: int) -> set[int]:
        rest = [["on", share], ["off", 100_000 - share]]
        flags = FlagSet(document_of({"fractional": rest}))
        return {
            user
            for user in range(100_000)
            if flags.evaluate("the-flag", {"targetingKey": f"user-{user}"}).variant == "on"
        }

    before: set[int] = set()
    for share in (0, 1, 1_000, 25_000, 60_000, 100_000):
        now = served(share)
        assert before <= now
        assert abs(len(now) - share) < 600
        before = now
    assert len(before) == 100_000


def test_a_user_is_missed_only_where_a_share_of_users_is_asked_for() -> None:
    share = {"fractional": [["on", 50], ["off", 50]]}
    targetings = {
        "share": {"if": [{"==": [{"var": "country"}, "TH"]}, share, "off"]},
        "by-user": {"fractional": [{"cat": ["a", {"var": "targetingKey"}]}, ["on", 1], ["off", 1]]},
        "by-hub": {"fractional": [{"var": "hub"}, ["on", 1], ["off", 1]]},
        "plain": {"if": [{"var": "targetingKey"}, "on", "off"]},
    }
    flags = FlagSet(
        {"flags": {key: document_of(node)["flags"]["the-flag"] for key, node in targetings.items()}}
    )

    def codes(context: dict[str, Any]) -> dict[str, str | None]:
        return {key: found.error_code for key, found in flags.evaluate_all(context)}

    missing = "TARGETING_KEY_MISSING"
    assert codes({"country": "TH", "hub": "h"}) == {
        "share": missing, "by-user": missing, "by-hub": None, "plain": None,
    }  # fmt: skip
    assert codes({"country": "VN", "hub": "h"})["share"] is None
    assert set(codes({"targetingKey": "u", "country": "TH", "hub": "h"}).values()) == {None}


@pytest.mark.parametrize(
    "flag",
    [
        {"state": "on", "variants": {"a": 1}},
        {"state": "ENABLED", "variants": {}},
        {"state": "ENABLED", "variants": {"a": 1}, "targeting": [1]},
    ],
)
def test_a_definition_that_flagd_refuses_spoils_no_other(flag: dict[str, Any]) -> None:
    flags = FlagSet({"flags": {"bad": flag, **document_of(None)["flags"]}})
    assert flags.evaluate("bad", {}).error_code == "PARSE_ERROR"
    assert flags.evaluate("the-flag", {}).variant == "off"
