import pytest

from services.retrieval.constraints import compile_constraints
from services.retrieval.fields import ValueKind, filter_payload, popularity
from services.retrieval.filters import FilterCompiler, number_paths
from services.retrieval.store.conditions import (
    AllOf,
    AnyOf,
    Condition,
    IdIn,
    Negated,
    Present,
    Range,
    SomeOf,
)
from shared.errors import InvalidArgumentError
from shared.filter_syntax import parse_filter
from wherefore.common.v1.product_pb2 import (
    AVAILABILITY_OUT_OF_STOCK,
    AttributeValue,
    Price,
    Product,
    ProductStatistics,
    ReviewSummary,
    Stock,
)
from wherefore.nlu.v1.query_understanding_pb2 import Constraint, NumberRange, ValueSet

COMPILER = FilterCompiler(
    {
        "ram": frozenset({ValueKind.NUMBER}),
        "mount": frozenset({ValueKind.KEYWORD}),
        "wireless": frozenset({ValueKind.BOOLEAN}),
        "size": frozenset({ValueKind.NUMBER}),
        "odd key": frozenset({ValueKind.NUMBER}),
    }
)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("price < 5", Range("price", below=5)),
        ("price <= 5", Range("price", at_most=5)),
        ("price > 5", Range("price", above=5)),
        ("price >= 5", Range("price", at_least=5)),
        ("price = 5", Range("price", at_least=5, at_most=5)),
        ("price != 5", Negated(Range("price", at_least=5, at_most=5))),
        ("price: *", Present("price")),
        ('brand: "SONY"', AnyOf("brand", ("sony",))),
        ("brand: (Sony OR JBL)", AnyOf("brand", ("sony", "jbl"))),
        ("category: 'x'".replace("'", '"'), AnyOf("category", ("x",))),
        ("currency = eur", AnyOf("currency", ("EUR",))),
        ("in_stock = true", AnyOf("in_stock", ("true",))),
        ("id: (A OR B)", IdIn(("A", "B"))),
        ("colour: 黑色", AnyOf("colour", ("黑色", "black"))),
        ("size > 40", Range("num.size", above=40)),
        ("size: XL", AnyOf("size", ("xl",))),
        ("attributes.mount = VESA", AnyOf("attribute", ("mount=vesa",))),
        ("attributes.wireless = TRUE", AnyOf("attribute", ("wireless=true",))),
        ("attributes.ram >= 8", Range("num.ram", at_least=8)),
        (
            "attributes.ram = 8",
            SomeOf((AnyOf("attribute", ("ram=8",)), Range("num.ram", at_least=8, at_most=8))),
        ),
        ("attributes.ram: *", SomeOf((AnyOf("attribute", ("ram",)), Present("num.ram")))),
        ('attributes."odd key" > 1', Range("num.x6f6464206b6579", above=1)),
        (
            'text: "steel kettle"',
            AllOf((AnyOf("title_terms", ("steel",)), AnyOf("title_terms", ("kettl",)))),
        ),
        ('release_time > "1970-01-02"', Range("release_time", above=86400.0)),
        ("release_time > 1970-01-01T01:00:00+01:00", Range("release_time", above=0.0)),
        ("NOT price < 5", Negated(Range("price", below=5))),
        (
            "price < 5 AND (brand: a OR brand: b)",
            AllOf(
                (Range("price", below=5), SomeOf((AnyOf("brand", ("a",)), AnyOf("brand", ("b",)))))
            ),
        ),
    ],
)
def test_compile(text: str, condition: Condition) -> None:
    assert COMPILER.compile(parse_filter(text)) == condition


@pytest.mark.parametrize(
    "text",
    [
        "nothing = 1",
        "attributes.nothing = 1",
        "attribute: x",
        "title_terms: x",
        "popularity > 1",
        "price < cheap",
        "price < nan",
        "price < inf",
        'price = ""',
        "brand > a",
        "in_stock = maybe",
        "in_stock > true",
        "colour < 5",
        "attributes.mount > 5",
        "release_time > yesterday",
        'text: "the"',
        "text > a",
    ],
)
def test_errors(text: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        COMPILER.compile(parse_filter(text))
    assert caught.value.violations[0].field == "filter"


def test_number_paths() -> None:
    condition = COMPILER.compile(parse_filter("attributes.ram > 1 AND NOT (size > 4 OR price > 1)"))
    assert set(number_paths(condition)) == {"num.ram", "num.size"}


def product() -> Product:
    return Product(
        id="1",
        titles={"en": "Red steel kettle for kids"},
        brand="ACME",
        category_path=["Kitchen", "Kettles"],
        price=Price(currency_code="EUR", amount=20),
        stock=Stock(availability=AVAILABILITY_OUT_OF_STOCK),
        attributes={
            "colour": AttributeValue(texts=["Jet Black"]),
            "ram": AttributeValue(numbers=[4, 8], unit="GB"),
            "wireless": AttributeValue(boolean=True),
            "mount": AttributeValue(texts=["VESA", "Wall"]),
            "size": AttributeValue(numbers=[17.5], unit="cm"),
        },
    )


def test_payload() -> None:
    payload = filter_payload(product())
    assert payload["brand"] == "acme"
    assert payload["category"] == ["kitchen", "kettles", "kitchen > kettles"]
    assert (payload["price"], payload["currency"]) == (20, "EUR")
    assert payload["in_stock"] == "false"
    assert {"jet black", "black"} <= set(payload["colour"])
    assert "red" not in payload["colour"]  # the attribute speaks, so the title does not
    assert payload["num"] == {"ram": [4, 8], "size": [17.5]}
    assert payload["size"] == ["17.5", "17.5 cm"]
    keys = {"colour", "wireless", "mount"}
    pairs = {"colour=jet black", "wireless=true", "mount=vesa", "mount=wall"}
    assert set(payload["attribute"]) == keys | pairs
    assert "rating" not in payload
    assert payload["rating_count"] == 0


def test_colour_material_and_audience_come_from_the_title_when_nothing_says_them() -> None:
    bare = product()
    bare.attributes.clear()
    payload = filter_payload(bare)
    assert payload["colour"] == ["red"]
    assert payload["audience"]


def test_popularity_grows_with_purchases_and_good_reviews() -> None:
    plain = popularity(Product())
    bought = popularity(Product(statistics=ProductStatistics(purchase_count=3)))
    seen = popularity(Product(statistics=ProductStatistics(view_count=3)))
    loved = popularity(Product(review_summary=ReviewSummary(average_rating=5, rating_count=50)))
    hated = popularity(Product(review_summary=ReviewSummary(average_rating=1, rating_count=50)))
    assert bought > seen > plain
    assert loved > hated


def demand(field: str, **condition: object) -> Constraint:
    return Constraint(field=field, hard=True, **condition)  # type: ignore[arg-type]


UNDER_5 = demand("price", range=NumberRange(max=5))


@pytest.mark.parametrize(
    ("constraint", "expression"),
    [
        (UNDER_5, "price <= 5"),
        (demand("price", range=NumberRange(min=1, max=5.5)), "price >= 1 AND price <= 5.5"),
        (demand("price", range=NumberRange(max=5, unit="eur")), 'price <= 5 AND currency: "EUR"'),
        (
            demand("price", range=NumberRange(max=5, unit="￥")),
            'price <= 5 AND currency: ("CNY" OR "JPY")',
        ),
        (demand("brand", any_of=ValueSet(values=["a", "b"])), 'brand: ("a" OR "b")'),
        (demand("colour", none_of=ValueSet(values=["black"])), 'NOT colour: "black"'),
        (demand("text", none_of=ValueSet(values=["fragrance"])), 'NOT text: "fragrance"'),
        (demand("ram", range=NumberRange(min=8)), "attributes.ram >= 8"),
    ],
)
def test_hard_constraints_become_filters(constraint: Constraint, expression: str) -> None:
    demands = compile_constraints([constraint], COMPILER, lambda _: True)
    assert (demands.applied, demands.ignored) == ((expression,), ())
    assert demands.condition == COMPILER.compile(parse_filter(expression))


def test_what_the_catalogue_lacks_is_ignored_and_said() -> None:
    demands = compile_constraints(
        [UNDER_5], COMPILER, lambda condition: condition != Present("price")
    )
    assert (demands.condition, demands.applied, demands.ignored) == (None, (), ("price <= 5",))
    unknown = demand("voltage", range=NumberRange(min=8))
    assert compile_constraints([unknown], COMPILER, lambda _: True).ignored == (
        "attributes.voltage >= 8",
    )


def test_soft_and_empty_constraints_are_passed_over() -> None:
    soft = Constraint(field="price", range=NumberRange(max=5))
    empty = [
        demand("price", range=NumberRange()),
        demand("brand", any_of=ValueSet()),
        demand("size"),
    ]
    demands = compile_constraints([soft, *empty], COMPILER, lambda _: True)
    assert (demands.condition, demands.applied, demands.ignored) == (None, (), ())
