"""No two different questions, and no two users, have one key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cache import Scope, cache_key

# Surrogates too: an id is what a caller says it is.
TEXT = st.text(max_size=8) | st.sampled_from(["", "a", "ab", "b", "\x00", "\ud800", "1", "page"])
SCOPES = st.builds(Scope.everybody, TEXT) | st.builds(Scope.one, TEXT, TEXT.filter(bool), TEXT)
PARTS = st.tuples(TEXT, SCOPES, st.dictionaries(TEXT, TEXT, max_size=3), st.binary(max_size=8))


@given(PARTS, PARTS)
def test_keys_are_equal_only_where_everything_is(one, other) -> None:
    assert (cache_key(*one) == cache_key(*other)) == (one == other)


@given(st.lists(TEXT, min_size=8, max_size=8), st.integers(0, 7))
def test_what_moves_from_one_part_to_its_neighbour_makes_another_key(texts, cut) -> None:
    kind, tenant, actor, state, name, version, *_ = (f"{text}x" for text in texts)
    moved = kind[:-1], kind[-1] + tenant
    scope = Scope.one(tenant, actor, state)
    assert cache_key(kind, scope, {name: version}, b"") != cache_key(
        moved[0], Scope.one(moved[1], actor, state), {name: version}, b""
    )
    assert (
        cache_key(kind, scope, {name: version}, b"")
        != cache_key(
            kind, Scope.one(tenant, actor + state[:cut], state[cut:]), {name: version}, b""
        )
        or not state[:cut]
    )


@given(TEXT, TEXT, st.binary(max_size=8))
def test_one_users_answer_is_nobody_elses(tenant, state, request) -> None:
    keys = {
        cache_key("page", scope, {}, request)
        for scope in (
            Scope.everybody(tenant),
            Scope.one(tenant, "u:1", state),
            Scope.one(tenant, "u:2", state),
            Scope.one(tenant, "s:1", state),
            Scope.one(f"{tenant}2", "u:1", state),
            Scope.one(tenant, "u:1", f"{state}2"),
        )
    }
    assert len(keys) == 6


def test_a_personal_answer_needs_a_person() -> None:
    with pytest.raises(ValueError, match="person"):
        Scope.one("", "", "state")


def test_the_order_of_versions_says_nothing() -> None:
    scope = Scope.everybody("")
    assert cache_key("p", scope, {"a": "1", "b": "2"}, b"") == cache_key(
        "p", scope, {"b": "2", "a": "1"}, b""
    )
