"""When rules apply, and what they plan."""

from datetime import UTC, datetime

import pytest

from services.orchestrator.merchandising.occasions import Occasion, RuleIndex, occasion_of
from services.orchestrator.merchandising.plan import make_plan, placed
from services.orchestrator.merchandising.rule_file import parse_rules
from wherefore.nlu.v1.query_understanding_pb2 import CategoryReading, QueryUnderstanding
from wherefore.orchestrator.v1.result_pb2 import Result


def occasion(query: str, filter_text: str = "", config: str = "search") -> Occasion:
    understanding = QueryUnderstanding(query=query, normalized_query=query)
    return occasion_of(config, filter_text, understanding)


def applies(when: str, at: Occasion) -> bool:
    rules = parse_rules(f"rules:\n  - id: a\n    when: {when}\n    filter: in_stock = true\n")
    return bool(RuleIndex(rules).matching(at))


@pytest.mark.parametrize(
    ("when", "query", "expected"),
    [
        ("{}", "anything", True),
        ("{query_terms: [sandal]}", "red SANDALS for men", True),
        ("{query_terms: [red sandals]}", "sandals in red", True),
        ("{query_terms: [red sandals]}", "blue sandals", False),
        ("{query_terms: [boots, sandals]}", "blue sandals", True),
        ("{query_terms: [for]}", "comfort shoes", False),
        ("{query_terms: [for]}", "shoes for men", True),
        ("{query_terms: [蓝牙耳机]}", "便宜的蓝牙耳机", True),
        ("{query_terms: [音箱]}", "便宜的蓝牙耳机", False),
        ("{queries: [Summer  Shoes]}", "summer shoes", True),
        ("{queries: [summer shoes]}", "summer shoes red", False),
        ("{queries: [summer shoes], query_terms: [boots]}", "summer shoes", False),
    ],
)
def test_conditions_on_the_query(when: str, query: str, expected: bool) -> None:
    assert applies(when, occasion(query)) is expected


@pytest.mark.parametrize(
    ("filter_text", "expected"),
    [
        ('category: "Kitchen"', True),
        ('price < 5 AND category = "kitchen"', True),
        ('category: ("Garden" OR "Kitchen")', True),
        ('NOT category: "Kitchen"', False),
        ('category: "Kitchen > Pots"', False),
        ("", False),
    ],
)
def test_categories_of_the_filter(filter_text: str, expected: bool) -> None:
    assert applies("{categories: [kitchen]}", occasion("x", filter_text)) is expected


def test_categories_that_the_query_is_read_to_be_about() -> None:
    sure = QueryUnderstanding(categories=[CategoryReading(category="手机", confidence=0.9)])
    guess = QueryUnderstanding(categories=[CategoryReading(category="手机", confidence=0.3)])
    assert applies("{categories: [手机]}", occasion_of("search", "", sure))
    assert not applies("{categories: [手机]}", occasion_of("search", "", guess))


def test_serving_configs() -> None:
    assert applies("{serving_configs: [for-you]}", occasion("x", config="for-you"))
    assert not applies("{serving_configs: [for-you]}", occasion("x"))


@pytest.mark.parametrize(("day", "expected"), [(1, False), (2, True), (3, True), (4, False)])
def test_time_windows_are_half_open(day: int, expected: bool) -> None:
    now = datetime(2026, 5, day, tzinfo=UTC)
    when = "{since: 2026-05-02T00:00:00Z, until: 2026-05-04T00:00:00Z}"
    assert applies(when, Occasion("search", now=now)) is expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("leather sofa", ["couch"]),
        ("couch", ["sofa"]),
        ("sofa or couch", []),
        ("cell", ["mobile phone"]),
        ("mobile phone", []),
        ("小沙发", ["长沙发椅"]),
    ],
)
def test_synonyms_expand_the_query(query: str, expected: list[str]) -> None:
    rules = parse_rules(
        "rules:\n"
        "  - {id: a, synonyms: {terms: [sofa, couch]}}\n"
        "  - {id: b, synonyms: {from: [cell], to: [mobile phone], weight: 0.5}}\n"
        "  - {id: c, synonyms: {from: [沙发], to: [长沙发椅]}}\n"
    )
    at, understanding = occasion(query), QueryUnderstanding(query=query)
    plan = make_plan(RuleIndex(rules).matching(at), at, understanding)
    assert [each.expansion for each in understanding.expansions] == expected
    assert bool(plan.applied) is bool(expected)


def test_the_first_rule_wins_a_place() -> None:
    rules = parse_rules(
        "rules:\n"
        "  - {id: a, pin: {product: p2, position: 2}}\n"
        "  - {id: b, pin: {product: p3, position: 2}}\n"
        "  - {id: c, pin: {product: p2, position: 1}}\n"
        "  - {id: d, pin: {product: p0, position: 9}}\n"
    )
    plan = make_plan(rules, occasion("x"))
    results = [Result() for _ in range(4)]
    for number, result in enumerate(results):
        result.product.id = f"p{number}"
    order = placed(plan, results)
    assert [each.product.id for each in order] == ["p1", "p2", "p3", "p0"]
    assert [each.pinned for each in order] == [False, True, False, True]
    assert [(control.id, list(control.product_ids)) for control in plan.controls()] == [
        ("a", ["p2"]),
        ("d", ["p0"]),
    ]


def test_filters_that_are_too_long_are_given_up() -> None:
    ids = ", ".join(f"p{'x' * 120}{n}" for n in range(199))
    block = f"  - {{id: b, block: {{products: [{ids}]}}}}\n"
    rules = parse_rules(f"rules:\n  - {{id: a, filter: price > 1}}\n{block}")
    plan = make_plan(rules, occasion("x"))
    assert (plan.filter, plan.given_up) == ("price > 1", ["b"])
    assert [control.id for control in plan.controls()] == ["a"]
