import json

import pytest

from services.nlu.train import run
from services.nlu.train.examples import Example, Span, TaskData, TaskKind
from services.nlu.train.extra_labels import LabelsError, with_labels

SENTIMENT = TaskData(
    "sentiment",
    TaskKind.CLASSES,
    ("negative", "positive"),
    [Example("old", label="positive")],
    [Example("held", label="negative")],
)
CATEGORY = TaskData(
    "category",
    TaskKind.CLASSES,
    ("phone", "book"),
    [Example("old", label="phone")],
    [Example("held", label="book")],
)
ENTITIES = TaskData("entities", TaskKind.TOKENS, ("BRAND",), [Example("Acme", ())], [])
TASKS = {"sentiment_zh": SENTIMENT, "category_zh": CATEGORY, "entities_zh": ENTITIES}


@pytest.fixture
def write(tmp_path):
    def write(*rows):
        path = tmp_path / "labels.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    return write


def said(text, **answer):
    return {"head": "sentiment", "text": text, **answer}


def test_labels_stand_in_front_and_dev_is_never_learnt(write):
    path = write(said("new", label="negative"), said("held", label="positive"))
    tasks = with_labels(TASKS, path, weight=2.0)
    assert tasks["sentiment_zh"].train == [
        Example("new", label="negative", weight=2.0),
        Example("old", label="positive"),
    ]
    assert tasks["sentiment_zh"].dev is SENTIMENT.dev
    assert tasks["category_zh"] is CATEGORY
    assert list(tasks) == list(TASKS)


@pytest.mark.parametrize(
    "beside", [{"category_zh": "sentiment_zh"}, {"sentiment_zh": "category_zh"}]
)
def test_tasks_over_the_same_texts_stay_so(write, beside):
    tasks = with_labels(TASKS, write(said("new", label="negative")), beside=beside)
    texts = [[example.text for example in tasks[name].train] for name in TASKS]
    assert texts == [["new", "old"], ["new", "old"], ["Acme"]]
    assert tasks["category_zh"].train[0] == Example("new", weight=0.0)


def test_spans(write):
    path = write({"head": "entities", "text": "Acme cup", "spans": [[0, 4, "BRAND"]]})
    tasks = with_labels(TASKS, path)
    assert tasks["entities_zh"].train[0] == Example("Acme cup", spans=(Span(0, 4, "BRAND"),))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"head": "sentiment"}, "label 1: needs"),
        ({"head": "mood", "text": "x", "label": "up"}, "teaches category, entities, sentiment"),
        (said("x", label="mixed"), "no label 'mixed'"),
        (said("x", spans=[[0, 1, "BRAND"]]), "does not hold classes"),
        ({"head": "entities", "text": "x", "label": "BRAND"}, "does not hold tokens"),
    ],
)
def test_labels_that_do_not_fit_are_refused(write, row, message):
    with pytest.raises(LabelsError, match=message):
        with_labels(TASKS, write(row))


def test_a_run_with_labels_has_a_folder_of_its_own(write, tmp_path, monkeypatch):
    ran = []
    monkeypatch.setitem(
        run._KINDS, "multitask", lambda settings, _data, folder: ran.append((settings, folder))
    )
    recipe = tmp_path / "mine.toml"
    recipe.write_text('kind = "multitask"\nencoder = "x"\n')
    folders = {
        run.run_recipe(recipe, data=tmp_path, out=tmp_path / "out", labels=path)
        for path in (None, write(said("a", label="positive")))
    }
    folders.add(
        run.run_recipe(
            recipe, data=tmp_path, out=tmp_path / "out", labels=write(said("b", label="positive"))
        )
    )
    assert len(folders) == 3
    assert "labels" not in ran[0][0]
    assert ran[1][0]["labels"] == str(tmp_path / "labels.jsonl")
    recipe.write_text('kind = "pretrain"\n')
    with pytest.raises(run.RecipeError, match="no labels"):
        run.run_recipe(recipe, data=tmp_path, out=tmp_path, labels=tmp_path / "labels.jsonl")
