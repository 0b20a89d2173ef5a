import gzip
import json

from shared.cli import explanation_view
from wherefore.common.v1.user_event_pb2 import UserEventType
from wherefore.orchestrator.v1.explanation_service_pb2 import ProductExplanation
from wherefore.orchestrator.v1.stock_pressure_pb2 import STOCK_PRESSURE_KIND_RUNNING_LOW


def test_recommend_shows_products_and_the_configuration(running):
    done = running.run("recommend", "--product", "p-1", "p-2", "--user", "ada")
    assert done.code == 0
    assert "Recommended by “popular”" in done.out
    assert "Steel kettle" in done.out
    (request,) = running.suite.requests
    assert list(request.product_ids) == ["p-1", "p-2"]
    assert request.user.user_id == "ada"


def test_recommend_json(running):
    done = running.run("recommend", "--user", "ada", "--json")
    assert done.json["serving_config"] == "popular"
    assert running.run("recommend", "--product", "absent", "--json").code == 1


def test_explain_shows_what_made_a_score(running):
    done = running.run("explain", "cheap kettle", "--product", "p-1", "gone", "--skip-words")
    assert done.code == 0
    assert "linear@1 ranked 100 candidates; the mean candidate scores 1.0000" in done.out
    assert "7. Steel kettle  p-1" in done.out
    assert "+0.2500 ████████████████████████ has the words" in done.out.replace("  ", " ")
    assert "sparse_score +0.500, title_coverage -0.250" in done.out
    assert "kettle +0.200 cheap -0.100" in done.out
    assert "would be first if new" in done.out
    assert "gone is not in the catalogue" in done.out
    (request,) = running.suite.requests
    assert (request.query, request.skip_words) == ("cheap kettle", True)


def test_explain_tells_what_stock_did():
    explained = ProductExplanation(product={"id": "p-1"})
    stock = explained.stock_pressure
    stock.kind, stock.quantity, stock.daily_demand = STOCK_PRESSURE_KIND_RUNNING_LOW, 3, 1.5
    stock.boost = -0.0625
    told = [line.plain for line in explanation_view.lines(explained, "en")]
    said = "-0.0625 after the model, running low: 3 on hand, 1.50 expected to be sold a day"
    assert f"   {said}" in told


def test_explain_shows_what_the_words_of_a_pair_did(running):
    options = ("--serving-config", "precise", "--readings", "1")
    done = running.run("explain", "cheap kettle", "--product", "p-1", *options)
    assert "read together: 88% likely an answer" in done.out
    assert "query: cheap kettle +5.5" in done.out
    assert "product: Steel kettle, 1 l -0.5" in done.out
    (request,) = running.suite.requests
    assert (request.serving_config, request.reading_count) == ("precise", 1)


def test_explain_json_and_nothing_found(running):
    done = running.run("explain", "kettle", "--product", "p-2", "--json")
    assert done.json["explanations"][0]["explanation"]["score"] == 1.25
    assert "Nothing found" in running.run("explain", "kettle").out


def test_parse_shows_words_and_asks_for_the_vector_with_json_only(running):
    done = running.run("parse", "phones the", target_option="--nlu-target")
    assert "phones→phone" in done.out
    assert "the→∅" in done.out
    done = running.run("parse", "phones", "--json", target_option="--nlu-target")
    assert done.json["understanding"]["language_code"] == "en"
    assert [request.skip_vector for request in running.suite.requests] == [True, False]


def test_products_get_list_delete(running):
    assert running.run("products", "get", "p-2").json["titles"]["en"] == "Glass kettle"
    listed = running.run("products", "list", "--filter", "price < 9", "--page-size", "2")
    assert "Glass kettle" in listed.out
    assert "--page-token more" in listed.out
    assert running.suite.requests[-1].filter == "price < 9"
    assert len(running.run("products", "list", "--json").json["products"]) == 2
    assert running.run("products", "delete", "p-1", "p-2").out == "deleted p-1\ndeleted p-2\n"
    assert running.suite.products == {}
    assert running.run("products", "delete", "p-1").code == 1
    assert running.run("products", "delete", "p-1", "--allow-missing").code == 0


def test_events_write(running):
    done = running.run("events", "write", "purchase", "p-1", "p-2", "--user", "ada", "--id", "e1")
    assert done.out == "written as e1\n"
    (event,) = running.events.events
    assert event.type == UserEventType.USER_EVENT_TYPE_PURCHASE
    assert [item.product_id for item in event.products] == ["p-1", "p-2"]
    again = running.run("events", "write", "purchase", "p-1", "--user", "ada", "--id", "e1")
    assert "there already" in again.out


def test_events_import_json_lines_names_lines_of_the_file(running, tmp_path):
    path = tmp_path / "events.jsonl.gz"
    rows = [
        {"type": "USER_EVENT_TYPE_VIEW", "user_id": "ada", "products": [{"product_id": "p-1"}]},
        {"type": "USER_EVENT_TYPE_VIEW", "nonsense": 1},
        {"type": "USER_EVENT_TYPE_VIEW", "products": [{"product_id": "p-1"}]},
    ]
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    done = running.run("events", "import", str(path), "--json")
    assert done.code == 0
    assert done.json["imported_count"] == "1"
    assert done.json["failed_count"] == "2"
    assert {error["row"] for error in done.json["errors"]} == {"2", "3"}
    assert "line 3 user_id: is required" in done.err


def test_events_import_csv(running, tmp_path):
    path = tmp_path / "events.csv"
    path.write_text(
        "type,user_id,product_id,quantity,event_time\n"
        "purchase,ada,p-1,2,2024-05-01T10:00:00Z\n"
        "teleport,ada,p-1,1,\n"
    )
    done = running.run("events", "import", str(path))
    assert done.out == "1 events written, 0 were there, 1 refused\n"
    assert "line 3: no event type 'teleport'" in done.err
    (event,) = running.events.events
    assert event.products[0].quantity == 2
    assert event.event_time.seconds == 1714557600


def test_a_file_sent_again_writes_events_that_have_a_time_once(running, tmp_path):
    path = tmp_path / "events.csv"
    rows = ["view,ada,p-1,2024-05-01T10:00:00Z"] * 2 + ["view,ada,p-2,"]
    path.write_text("\n".join(["type,user_id,product_id,event_time", *rows]))
    first = running.run("events", "import", str(path))
    assert first.out == "3 events written, 0 were there, 0 refused\n"
    again = running.run("events", "import", str(path))
    # Without a time it happened when it was sent, and so twice.
    assert again.out == "1 events written, 2 were there, 0 refused\n"


def test_events_import_of_nothing_good_fails(running, tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text("not json\n")
    assert running.run("events", "import", str(path)).code == 1
    assert running.run("events", "import", str(tmp_path / "absent")).code == 2


def test_complete_shows_where_completions_come_from(running):
    done = running.run("complete", "hed", "--limit", "5", "--language", "zh")
    assert done.out.splitlines()[:2] == [
        "Headphones  product type",
        "headband  searches, one letter mended",
    ]
    (request,) = running.suite.requests
    assert (request.prefix, request.limit, request.language_code) == ("hed", 5, "zh")
    assert running.run("complete", "x").out.startswith("Nothing begins so.")
    assert running.run("complete", "hed", "--json").json["completions"][1]["corrected"] is True
