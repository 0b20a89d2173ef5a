"""`wherefore search --stream`: what is shown while it comes, and of a stream that breaks off."""

import asyncio
import io
import json
from collections.abc import AsyncIterator

import pytest
from rich.console import Console

from shared.cli import failures, output
from shared.cli.search_stream import print_stream
from wherefore.common.v1.diagnostics_pb2 import DEGRADATION_CAUSE_OVERLOADED, Degradation
from wherefore.orchestrator.v1.search_service_pb2 import SearchResponse, SearchStreamResponse
from wherefore.reason.v1.reason_pb2 import Reason, ReasonClause


def test_the_page_comes_first_then_clauses_then_reasons_and_last_how_it_went(running):
    running.suite.degraded = [
        Degradation(stage="reason.model", cause=DEGRADATION_CAUSE_OVERLOADED, fallback="template")
    ]
    done = running.run("search", "samsnug phone", "--stream")
    assert (done.code, done.err) == (0, "")
    in_order = (
        "samsnug → samsung",
        "Filter: price < 500",
        "Steel kettle",
        "#1 … Good, because of Acme",
        "#1 Good, because of Acme.",
        "Note: reason.model was overloaded; instead: template",
        "--page-token token-2",
        "Reasons: 2 by the model, 1 of them kept; 2 by templates",
        "Page after 40 ms, first words after 65 ms",
    )
    places = [done.out.index(text) for text in in_order]
    assert places == sorted(places)


def test_options_reach_the_streamed_request(running):
    running.run("search", "phone", "--stream", "--page-size", "3", "--facet", "brand")
    (request,) = running.suite.requests
    assert (request.query, request.page_size) == ("phone", 3)
    assert [spec.key for spec in request.facets] == ["brand"]


def test_json_is_a_message_a_line(running):
    done = running.run("search", "手机", "--stream", "--json")
    parts = [json.loads(line) for line in done.out.splitlines()]
    kinds = [next(iter(part)) for part in parts]
    assert kinds == ["page", "clause", "reason", "clause", "reason", "end"]
    assert parts[0]["page"]["query"]["query"] == "手机"
    assert parts[-1]["end"]["reason_writers"]["cached_count"] == 1


@pytest.mark.parametrize("options", [(), ("--json",)])
@pytest.mark.parametrize(
    ("query", "told"), [("breaks", "reason is gone"), ("ends early", "was cut off")]
)
def test_what_came_of_a_broken_stream_stays_and_the_command_fails(running, query, told, options):
    done = running.run("search", query, "--stream", *options)
    assert done.code == failures.UNAVAILABLE
    assert "Steel kettle" in done.out
    assert "Good, because of Acme" in done.out
    assert told in done.err


def test_errors_before_the_page_are_those_of_a_search(running):
    assert running.run("search", "down", "--stream").code == failures.UNAVAILABLE
    done = running.run("search", "x", "--stream", "--page-size", "-1")
    assert done.code == failures.USAGE
    assert "page_size" in done.err


def test_nothing_found_has_no_reasons(running):
    running.suite.answer = SearchResponse()
    done = running.run("search", "x", "--stream")
    assert "Nothing found." in done.out
    assert "Reasons:" not in done.out


@pytest.mark.parametrize("whole", [True, False])
def test_on_a_terminal_reasons_grow_in_the_table(monkeypatch, make_product, whole):
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, color_system=None)
    monkeypatch.setattr(output, "console", lambda: console)
    page = SearchResponse()
    page.results.add(product=make_product("p-1", "Steel kettle"), rank=1)
    clause = ReasonClause(product_id="p-1", text="Made of steel")

    async def parts() -> AsyncIterator[SearchStreamResponse]:
        yield SearchStreamResponse(page=page)
        yield SearchStreamResponse(clause=clause)
        if whole:
            reason = Reason(product_id="p-1", text="Made of steel, in stock.")
            yield SearchStreamResponse(reason=reason)
            yield SearchStreamResponse(end={})

    if whole:
        asyncio.run(print_stream(parts(), "en"))
    else:
        with pytest.raises(failures.CommandError, match="cut off"):
            asyncio.run(print_stream(parts(), "en"))
    last = screen.getvalue().rpartition("Steel kettle")[2]
    assert ("Made of steel, in stock." if whole else "Made of steel") in last
    assert "…" not in last
