import pytest

from wherefore.common.v1.diagnostics_pb2 import Degradation, DegradationCause
from wherefore.orchestrator.v1 import result_pb2, search_service_pb2
from wherefore.orchestrator.v1.applied_control_pb2 import AppliedControl


def test_table_shows_products_reasons_and_what_was_understood(running):
    done = running.run("search", "samsnug phone")
    assert done.code == 0
    for shown in (
        "Steel kettle",
        "because of Acme",
        "1,299.00 EUR",
        "90%",
        "product search (90%)",
        "not colour “黑色” = black",
        "price at most 500 EUR",
        "not colour black (preferred)",
        "samsnug → samsung",
        "Filter: price < 500",
        "mauve",
        "--page-token token-2",
        "of about 42",
    ):
        assert shown in done.out, shown
    assert done.err == ""


def test_stage_timings_are_bars_with_inner_stages_indented(running):
    lines = running.run("search", "phone").out.splitlines()
    by_stage = {line.split()[0]: line for line in lines if " ms " in line}
    assert by_stage["embedding"].startswith("  embedding")
    assert "inference 7.0 ms" in by_stage["embedding"]
    assert list(by_stage) == ["nlu", "embedding", "retrieval", "ranking"]
    assert by_stage["nlu"].count("█") > by_stage["ranking"].count("█") >= 1


def test_titles_come_in_the_language_of_the_reader(running):
    assert "不锈钢水壶" in running.run("search", "phone", "--language", "zh").out


def test_options_reach_the_request(running):
    running.run(
        *("search", "phone", "--filter", "price < 5", "--page-size", "3", "--page-token", "t"),
        *("--order-by", "price desc", "--user", "ada", "--language", "zh", "--contributions"),
    )
    (request,) = running.suite.requests
    assert request.query == "phone"
    assert request.filter == "price < 5"
    assert request.page_size == 3
    assert request.page_token == "t"  # noqa: S105 - no password
    assert request.order_by == "price desc"
    assert request.user.user_id == "ada"
    assert request.language_code == "zh"
    assert request.include_contributions


def test_facets_are_counted_on_request(running):
    done = running.run("search", "x", "--facet", "brand", "price", "--group-variants", "1")
    (request,) = running.suite.requests
    assert [spec.key for spec in request.facets] == ["brand", "price"]
    assert request.group_variants == 1
    assert "Acme (4) and 2 more" in done.out
    assert "below 20 (1), 20 and up (2) and 1 more" in done.out


def test_rules_of_the_shop_are_told(running):
    running.suite.answer = search_service_pb2.SearchResponse(
        results=[
            result_pb2.Result(
                product={"id": "p-1", "titles": {"en": "Steel kettle"}},
                pinned=True,
                boost=0.25,
                other_variant_count=3,
            )
        ],
        applied_controls=[
            AppliedControl(id="top", action="CONTROL_ACTION_PIN", product_ids=["p-1"])
        ],
        redirect_uri="/help",
    )
    done = running.run("search", "x")
    assert "pinned, moved by +0.250, +3 variants" in done.out
    assert "Rule top: pin on 1 product" in done.out
    assert "The shop sends this query to /help" in done.out


def test_a_sponsored_result_is_called_so(running):
    result = result_pb2.Result(product={"id": "p-1", "titles": {"en": "Steel kettle"}})
    result.sponsored.campaign_id = "kettles"
    running.suite.answer = search_service_pb2.SearchResponse(results=[result])
    assert "sponsored" in running.run("search", "x").out


def test_contributions_are_shown_on_request_only(running):
    assert "+0.250 matches the title" in running.run("search", "x", "--contributions").out
    assert "matches the title" not in running.run("search", "x").out


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (DegradationCause.DEGRADATION_CAUSE_UNAVAILABLE, "could not be reached"),
        (DegradationCause.DEGRADATION_CAUSE_DEADLINE, "took too long"),
        (DegradationCause.DEGRADATION_CAUSE_CIRCUIT_OPEN, "was not asked"),
    ],
)
def test_degradations_are_put_into_words(running, cause, words):
    running.suite.degraded = [Degradation(stage="ranking", cause=cause, fallback="retrieval order")]
    done = running.run("search", "phone")
    assert "ranking" in done.out
    assert words in done.out
    assert "instead: retrieval order" in done.out


def test_json_is_alone_on_standard_output(running):
    done = running.run("search", "手机", "--json")
    assert done.json["results"][0]["product"]["id"] == "p-1"
    assert done.json["query"]["query"] == "手机"
    assert done.err == ""


def test_a_title_cannot_drive_the_terminal(running, make_product):
    running.suite.products = {"p-1": make_product("p-1", "Evil\x1b[2J [bold]kettle[/bold]")}
    out = running.run("search", "phone").out
    assert "\x1b" not in out
    assert "[bold]kettle[/bold]" in out


def test_an_empty_page_says_so(running):
    running.suite.products = {}
    assert "Nothing found." in running.run("search", "phone").out
