import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidArgumentError
from shared.filter_syntax import (
    MAX_DEPTH,
    And,
    Expression,
    Not,
    Operator,
    Or,
    Restriction,
    Value,
    format_filter,
    join_and,
    parse_filter,
    quote,
)


def has(field: str, *values: str) -> Restriction:
    return Restriction(field, Operator.HAS, tuple(Value(value) for value in values))


PRICE = Restriction("price", Operator.LESS, (Value("500", quoted=False),))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("price < 500", PRICE),
        ("price<500", PRICE),
        ('brand: ("Sony" OR "JBL")', has("brand", "Sony", "JBL")),
        ('NOT colour: "black"', Not(has("colour", "black"))),
        ('-colour: "black"', Not(has("colour", "black"))),
        (
            'price < 500 AND brand: ("Sony" OR "JBL") AND NOT colour: "black"',
            And((PRICE, has("brand", "Sony", "JBL"), Not(has("colour", "black")))),
        ),
        # OR binds tighter than AND, as AIP-160 says.
        ('price < 500 AND a: "1" OR b: "2"', And((PRICE, Or((has("a", "1"), has("b", "2")))))),
        ('(price < 500 AND a: "1") OR b: "2"', Or((And((PRICE, has("a", "1"))), has("b", "2")))),
        ("price: *", Restriction("price", Operator.HAS, (Value("*", quoted=False),))),
        ('tags: "*"', has("tags", "*")),
        ('attributes."a b" = "c"', Restriction("attributes.a b", Operator.EQUAL, (Value("c"),))),
        (
            "release_time >= 2024-05-01T00:00:00Z",
            Restriction(
                "release_time",
                Operator.GREATER_EQUAL,
                (Value("2024-05-01T00:00:00Z", quoted=False),),
            ),
        ),
        ("price > -5", Restriction("price", Operator.GREATER, (Value("-5", quoted=False),))),
        (
            'brand = "say \\"hi\\" \\\\"',
            Restriction("brand", Operator.EQUAL, (Value('say "hi" \\'),)),
        ),
        ("颜色: 黑色", Restriction("颜色", Operator.HAS, (Value("黑色", quoted=False),))),
    ],
)
def test_parse(text: str, tree: Expression) -> None:
    assert parse_filter(text) == tree
    assert parse_filter(format_filter(tree)) == tree


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "character 1"),
        ("price", "character 6"),
        ("price <", "character 8"),
        ("price < 5 AND", "character 14"),
        ("price < 5 brand: x", "character 11"),
        ("(price < 5", "character 11"),
        ('brand: "Sony', "character 8"),
        ("brand: ()", "character 9"),
        ('brand: ("a" "b")', "character 13"),
        ("AND price < 5", "character 1"),
        ("price = *", "character 9"),
        ("a. = 1", "character 3"),
        ("a = 1\x00", "character 6"),
        ("(" * (MAX_DEPTH + 1) + "a = 1" + ")" * (MAX_DEPTH + 1), "deep"),
        ("a = " + "x" * 2_000, "longer than"),
    ],
)
def test_errors_name_the_place(text: str, where: str) -> None:
    with pytest.raises(InvalidArgumentError, match=where) as caught:
        parse_filter(text)
    assert [violation.field for violation in caught.value.violations] == ["filter"]


def test_join_and() -> None:
    assert join_and("", " ") == ""
    assert join_and("", 'a: "1"') == 'a: "1"'
    assert join_and('a: "1" OR b: "2"', "price < 5 AND c: x") == (
        '(a: "1" OR b: "2") AND price < 5 AND c: x'
    )


def test_quote_drops_control_characters() -> None:
    assert quote('a\x00"b\\') == '"a \\"b\\\\"'


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8)
names = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
fields = names | st.builds("attributes.{}".format, texts.filter(bool))
operators = st.sampled_from([operator for operator in Operator if operator is not Operator.HAS])
restrictions = st.builds(
    Restriction, fields, operators, st.tuples(st.builds(Value, texts))
) | st.builds(
    Restriction,
    fields,
    st.just(Operator.HAS),
    st.lists(st.builds(Value, texts), min_size=1, max_size=3).map(tuple),
)
trees = st.recursive(
    restrictions,
    lambda inner: (
        st.builds(Not, inner)
        | st.lists(inner, min_size=2, max_size=3).map(lambda each: And(tuple(each)))
        | st.lists(inner, min_size=2, max_size=3).map(lambda each: Or(tuple(each)))
    ),
    max_leaves=6,
)


@given(trees)
def test_round_trip(tree: Expression) -> None:
    assert parse_filter(format_filter(tree)) == tree


@given(
    st.text()
    | st.lists(
        st.sampled_from(
            ["(", ")", "AND", "OR", "NOT", "-", "a", "price", "<", ":", '"', "x", ".", " "]
        )
    ).map(" ".join)
)
def test_only_ever_an_invalid_argument(text: str) -> None:
    try:
        tree = parse_filter(text)
    except InvalidArgumentError:
        return
    assert parse_filter(format_filter(tree)) == tree
