import json

import numpy as np
import pytest

from services.nlu.labelling.items import Item, Reading, item_record, read_item
from services.nlu.labelling.journal import JournalError
from services.nlu.labelling.queue import LabelQueue
from services.nlu.labelling.sampling import Strategy
from services.nlu.labelling.task import Answer, LabellingError, LabelTask, served_task
from services.nlu.train.examples import Span, TaskKind
from tests.services.nlu.labelling.conftest import CLASSES, SPANS, class_items, span_item

POSITIVE = Answer("positive")


def drain(queue, annotator, answer=POSITIVE):
    asked = []
    while (item := queue.next(annotator)) is not None:
        asked.append(item.text)
        queue.label(annotator, item.id, answer)
    return asked


def test_every_text_is_asked_once(queue):
    assert queue.next("ada") == queue.next("ada")
    asked = drain(queue, "ada")
    assert sorted(asked) == [f"review {at}" for at in range(6)]
    progress = queue.progress("ada")
    assert (progress.labelled, progress.skipped, progress.left) == (6, 0, 0)
    assert progress.counts == {"negative": 0, "positive": 6}
    assert queue.next("bob") is None


def test_two_people_are_asked_different_texts(queue):
    assert queue.next("ada") != queue.next("bob")
    # With one text left for both, both may have it.
    for _ in range(5):
        queue.label("ada", queue.next("ada").id, POSITIVE)
    assert queue.next("ada") == queue.next("bob")


def test_the_doubtful_come_first_and_labels_of_others_are_not_asked_again(tmp_path):
    queue = LabelQueue(tmp_path / "queue", CLASSES, strategy=Strategy.MARGIN)
    queue.add(class_items())
    assert drain(queue, "ada") == [f"review {at}" for at in reversed(range(6))]
    queue.close()


def test_new_readings_change_the_order(tmp_path):
    queue = LabelQueue(tmp_path / "queue", CLASSES, strategy=Strategy.ENTROPY)
    queue.add(class_items())
    first = queue.next("ada")
    queue.label("ada", first.id, POSITIVE)
    assert queue.add([Item("review 0", Reading("query_zh@2", {"positive": 0.5}))]) == 0
    assert queue.next("ada").text == "review 0"
    queue.close()


def test_skip_and_undo(queue):
    first = queue.next("ada")
    queue.skip("ada", first.id, "unclear")
    second = queue.next("ada")
    assert second != first
    queue.label("ada", second.id, Answer("negative"))
    assert queue.undo("ada") == second
    assert queue.next("ada") == second
    assert queue.undo("ada") == first
    assert queue.progress("ada").left == 6
    assert queue.undo("ada") is None
    # What one skips another may know.
    queue.skip("ada", first.id)
    asked = drain(queue, "bob")
    assert first.text in asked


def test_it_goes_on_after_a_restart(tmp_path):
    queue = LabelQueue(tmp_path / "queue", CLASSES)
    queue.add(class_items())
    done = queue.next("ada")
    queue.label("ada", done.id, POSITIVE, "short")
    taken_back = queue.next("ada")
    queue.label("ada", taken_back.id, POSITIVE)
    queue.undo("ada")
    queue.skip("ada", taken_back.id)
    queue.close()
    again = LabelQueue(tmp_path / "queue", CLASSES)
    assert again.items == queue.items
    (given,) = again.answers()[done.id].values()
    assert (given.answer, given.note) == (POSITIVE, "short")
    assert taken_back.id not in again.answers()
    assert again.progress("ada").skipped == 1
    assert len(drain(again, "ada")) == 4
    again.close()


def test_a_second_answer_replaces_the_first(queue):
    item = queue.next("ada")
    queue.label("ada", item.id, POSITIVE)
    queue.label("ada", item.id, Answer("negative"))
    assert queue.answers()[item.id]["ada"].answer == Answer("negative")
    assert queue.progress("ada").labelled == 1
    queue.undo("ada")
    assert queue.answers()[item.id]["ada"].answer == POSITIVE


def test_a_share_is_asked_of_all(tmp_path):
    queue = LabelQueue(tmp_path / "queue", CLASSES, twice=0.3)
    queue.add(class_items(80))
    drain(queue, "ada")
    again = drain(queue, "bob")
    assert 10 < len(again) < 40
    shared = [given for given in queue.answers().values() if len(given) == 2]
    assert len(shared) == len(again)
    queue.close()


def test_what_all_are_asked_comes_first_to_the_second(tmp_path):
    queue = LabelQueue(tmp_path / "queue", CLASSES, twice=0.3)
    queue.add(class_items(50))
    for _ in range(25):
        queue.label("ada", queue.next("ada").id, POSITIVE)
    answered = set(queue.answers())
    asked = []
    for _ in range(12):
        item = queue.next("bob")
        asked.append(item.id in answered)
        queue.label("bob", item.id, POSITIVE)
    assert asked == sorted(asked, reverse=True)
    assert asked[0]
    assert not asked[-1]
    queue.close()


@pytest.mark.parametrize(
    "answer",
    [
        Answer("nonsense"),
        Answer(""),
        Answer(spans=(Span(0, 1, "BRAND"),)),
    ],
)
def test_wrong_classes_are_refused(queue, answer):
    item = queue.next("ada")
    with pytest.raises(LabellingError):
        queue.label("ada", item.id, answer)
    assert queue.progress("ada").labelled == 0


@pytest.mark.parametrize(
    "spans",
    [
        (Span(0, 1, "COLOUR"),),
        (Span(-1, 1, "BRAND"),),
        (Span(2, 8, "BRAND"),),
        (Span(3, 3, "BRAND"),),
        (Span(1, 2, "BRAND"),),
        (Span(2, 4, "BRAND"), Span(3, 7, "PRODUCT_TYPE")),
    ],
)
def test_wrong_spans_are_refused(span_queue, spans):
    with pytest.raises(LabellingError):
        span_queue.label("ada", span_item().id, Answer(spans=spans))


def test_spans_are_kept_in_order_and_none_is_an_answer(span_queue):
    item = span_queue.next("ada")
    spans = (Span(5, 7, "PRODUCT_TYPE"), Span(2, 4, "BRAND"))
    span_queue.label("ada", item.id, Answer(spans=spans))
    span_queue.label("bob", item.id, Answer())
    given = span_queue.answers()[item.id]
    assert given["ada"].answer == Answer(spans=spans[::-1])
    assert given["bob"].answer == Answer()
    assert span_queue.progress("ada").counts == {"BRAND": 1, "PRODUCT_TYPE": 1}


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\nb"])
def test_names_are_checked(queue, name):
    with pytest.raises(LabellingError, match="name"):
        queue.next(name)
    with pytest.raises(LabellingError, match="name"):
        queue.skip(name, class_items()[0].id)
    with pytest.raises(LabellingError, match="name"):
        queue.undo(name)


def test_unknown_texts_and_long_notes_are_refused(queue):
    with pytest.raises(LabellingError, match="no such text"):
        queue.label("ada", "absent", POSITIVE)
    with pytest.raises(LabellingError, match="note"):
        queue.skip("ada", class_items()[0].id, "x" * 2001)


def test_a_folder_is_of_one_task_and_one_process(queue):
    with pytest.raises(JournalError, match="in use"):
        LabelQueue(queue.folder, CLASSES)
    queue.close()
    with pytest.raises(LabellingError, match="another folder"):
        LabelQueue(queue.folder, SPANS)
    more = LabelTask("sentiment", TaskKind.CLASSES, ("positive", "neutral"))
    again = LabelQueue(queue.folder, more)
    assert again.task.labels == ("negative", "positive", "neutral")
    again.close()


def test_a_broken_record_is_an_error(queue):
    queue.close()
    (queue.folder / "labels.jsonl").write_text('{"action":"label"}\n')
    with pytest.raises(LabellingError, match="broken"):
        LabelQueue(queue.folder, CLASSES)


def test_a_strategy_without_its_readings_says_what_to_do(tmp_path):
    queue = LabelQueue(tmp_path / "queue", CLASSES, strategy=Strategy.MARGIN)
    queue.add([Item("a text")])
    with pytest.raises(LabellingError, match="read the texts again"):
        queue.next("ada")
    queue.close()


def test_items_are_stored_whole():
    for item in (class_items()[1], span_item(), Item("plain")):
        again = read_item(json.loads(json.dumps(item_record(item))))
        assert (again.text, again.reading, again.id) == (item.text, item.reading, item.id)
        if item.vector is not None:
            assert again.vector == pytest.approx(item.vector, abs=1e-3)


def test_decisions_share_out_what_the_service_did_not_say():
    task = LabelTask("category", TaskKind.CLASSES, ("a", "b", "c", "d"))
    reading = Reading("m@1", {"b": 0.7, "a": 0.1, "strange": 0.05})
    assert reading.decisions(task) == pytest.approx(np.array([[0.1, 0.7, 0.1, 0.1]]))
    assert reading.guess(task) == Answer("b")
    assert Reading("m@1").guess(task) is None
    assert Reading("m@1").decisions(task) == pytest.approx(np.full((1, 4), 0.25))
    assert span_item().reading.decisions(SPANS) == pytest.approx(np.array([[0.9, 0.1], [0.6, 0.4]]))


def test_tasks_come_from_the_newest_version_of_the_models(tmp_path):
    for version, labels in (("1", ["old", "older"]), ("10", ["O", "B-BRAND", "I-BRAND"])):
        folder = tmp_path / "query_zh" / version
        folder.mkdir(parents=True)
        heads = {
            "entities": {"kind": "tokens", "labels": labels},
            "sentence_embedding": {"kind": "vector", "dimension": 4},
        }
        (folder / "labels.json").write_text(json.dumps(heads))
    folder = tmp_path / "query_en" / "1"
    folder.mkdir(parents=True)
    (folder / "labels.json").write_text(
        json.dumps({"entities": {"kind": "tokens", "labels": ["O", "B-SIZE", "I-SIZE", "B-BRAND"]}})
    )
    assert served_task("entities", tmp_path).labels == ("SIZE", "BRAND")
    with pytest.raises(LabellingError, match="served heads: entities"):
        served_task("mood", tmp_path)
    with pytest.raises(LabellingError, match="no model has heads yet"):
        served_task("mood", tmp_path / "absent")


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        (TaskKind.CLASSES, ("one",)),
        (TaskKind.CLASSES, ("a", "a")),
        (TaskKind.TOKENS, ()),
        (TaskKind.TOKENS, (" ",)),
        (TaskKind.PAIRS, ("a", "b")),
    ],
)
def test_tasks_that_cannot_be_asked_are_refused(kind, labels):
    with pytest.raises(LabellingError):
        LabelTask("head", kind, labels)
