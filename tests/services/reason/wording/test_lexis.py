"""The lexis: which token may stand behind which, in clauses as the corpus has them."""

from services.reason.wording.lexis import CLOSE, START, Lexis


def test_tokens_follow_each_other_as_in_some_clause() -> None:
    lexis = Lexis({}, frozenset(), frozenset(), {START: frozenset({4}), 4: frozenset({5, CLOSE})})
    assert lexis.may_follow(START, 4)
    assert lexis.may_follow(4, CLOSE)
    assert not lexis.may_follow(START, 5)
    assert not lexis.may_follow(5, CLOSE)


def test_it_is_read_as_it_was_written_and_old_ones_let_any_token_follow() -> None:
    lexis = Lexis({"en/x": [4]}, frozenset({"a"}), frozenset(), {START: frozenset({4, 5})})
    assert Lexis.of(lexis.content()) == lexis
    old = {name: part for name, part in lexis.content().items() if name != "follow"}
    assert Lexis.of(old).may_follow(9, 7)
