"""A head beside the reader's own intents: what it says, when it is refused, how versions change."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("opacus", reason="the extra `federated` is not installed")

from services.nlu.learnt.intent_head import load_head, suite_label
from services.nlu.learnt.intent_heads import IntentHeads
from services.nlu.learnt.port import Reading
from services.nlu.train.intent_entry import write_intent_entry
from shared.errors import UnavailableError
from shared.federated.errors import FederatedError
from tests.shared.federated.runs import intent_task, run_of, sure_of

WIDTH = 2
CONCERNS = ("track_order", "gift_wrapping")
OWN = (("product_search", 0.6), ("support/complaint", 0.3), ("support/review", 0.1))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """An English reader with intents of its own, a Chinese one without."""
    vector = {"kind": "vector", "dimension": WIDTH}
    intent = {"kind": "classes", "labels": [label for label, _ in OWN]}
    for name, heads in {
        "query_en": {"sentence_embedding": vector, "intent": intent},
        "query_zh": {"sentence_embedding": vector},
    }.items():
        folder = tmp_path / "models" / name / "1"
        folder.mkdir(parents=True)
        (folder / "labels.json").write_text(json.dumps(heads))
    return tmp_path / "models"


def publish(repository: Path, weights, names=CONCERNS, encoder="query_en@1", width=WIDTH) -> Path:
    run = run_of(repository.parent / "run", intent_task(names, width, encoder), weights)
    return write_intent_entry(run, repository, "shop_intents")


def reading(*vector: float) -> Reading:
    return Reading(intent=OWN, vector=np.asarray(vector, np.float32))


def test_concerns_share_out_what_the_reader_gives_to_support(repository: Path) -> None:
    publish(repository, [np.array([[5.0, 0.0], [0.0, 5.0]]), np.zeros(2)])
    head = load_head(repository, "shop_intents", 1)
    read = head.refine(reading(0.0, 1.0))
    share = np.exp(5.0) / (np.exp(5.0) + 1.0)
    assert read.intent == (
        ("product_search", 0.6),
        ("support/gift_wrapping", pytest.approx(0.4 * share)),
        ("support/track_order", pytest.approx(0.4 * (1.0 - share))),
    )
    assert read.intent_model == "shop_intents@1"
    assert head.refine(reading(1.0, 0.0)).intent[1][0] == "support/track_order"
    blind = Reading(intent=OWN)
    assert head.refine(blind) == blind


def test_a_head_that_knows_more_than_support_says_it_all(repository: Path) -> None:
    names = ("product_search", "gift_wrapping")
    publish(repository, sure_of(1, 2, WIDTH), names, encoder="query_zh@1")
    read = load_head(repository, "shop_intents", 1).refine(reading(1.0, 0.0))
    assert [label for label, _ in read.intent] == ["support/gift_wrapping", "product_search"]
    assert sum(share for _, share in read.intent) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("track_order", "support/track_order"),
        ("support/track_order", "support/track_order"),
        ("comparison", "comparison"),
        ("unspecified", "support/unspecified"),
    ],
)
def test_names_of_shops_become_labels_of_the_suite(name: str, label: str) -> None:
    assert suite_label(name) == label


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"encoder": "query_zh@1"}, "does not tell support from other intents"),
        ({"encoder": "query_en@7"}, "labels.json is missing"),
        ({"encoder": ""}, "prepare the rows anew"),
        ({"encoder": "../query_en"}, "encoder"),
        ({"width": 3, "weights": sure_of(0, 2, 3)}, "has no vectors of 3 numbers"),
    ],
)
def test_what_does_not_fit_is_not_published(repository: Path, given, told) -> None:
    with pytest.raises(FederatedError, match=told):
        publish(repository, **{"weights": sure_of(0, 2, WIDTH), **given})
    assert not (repository / "shop_intents").exists()


def test_the_card_says_how_it_came_about(repository: Path) -> None:
    publish(repository, sure_of(0, 2, WIDTH))
    card = (repository / "shop_intents" / "README.md").read_text()
    for told in ("`shop_intents@1`", "`query_en@1`", "12 shops, 3 rounds", "epsilon", "_HEADS"):
        assert told in card


def test_versions_take_over_and_give_way(repository: Path) -> None:
    heads = IntentHeads(repository, ["shop_intents"])
    heads.look()
    lost = heads.refine(reading(1.0, 0.0), "query_en@1")
    assert (lost.reading.intent, lost.problem) == (OWN, "no version of shop_intents can be read")

    def label() -> str:
        heads.look()
        refined = heads.refine(reading(1.0, 0.0), "query_en@1")
        assert not refined.problem
        return f"{refined.reading.intent[1][0]} by {refined.reading.intent_model}"

    publish(repository, sure_of(0, 2, WIDTH))
    assert label() == "support/track_order by shop_intents@1"
    second = publish(repository, sure_of(1, 2, WIDTH))
    assert label() == "support/gift_wrapping by shop_intents@2"
    third = publish(repository, sure_of(0, 2, WIDTH))
    whole = (third / "head.npz").read_bytes()
    for damaged in (whole[:100], b"", b"no arrays"):
        (third / "head.npz").write_bytes(damaged)
        assert label() == "support/gift_wrapping by shop_intents@2"
    (third / "head.npz").write_bytes(whole)
    assert label() == "support/track_order by shop_intents@3"
    (third / "head.npz").unlink()
    assert label() == "support/gift_wrapping by shop_intents@2"
    (second / "head.npz").unlink()
    assert label() == "support/track_order by shop_intents@1"


def test_a_head_reads_the_vectors_of_one_version_of_one_reader(repository: Path) -> None:
    publish(repository, sure_of(0, 2, WIDTH))
    heads = IntentHeads(repository, ["shop_intents"])
    heads.look()
    newer = heads.refine(reading(1.0, 0.0), "query_en@2")
    assert newer.reading.intent == OWN
    assert newer.problem == "shop_intents@1 reads vectors of query_en@1, not of query_en@2"
    other = heads.refine(reading(1.0, 0.0), "query_zh@1")
    assert (other.reading.intent, other.problem) == (OWN, "")


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("labels.json", '{"intent": {"kind": "vector", "dimension": 2}}', "names no intents"),
        ("labels.json", '{"intent": {"kind": "classes", "labels": ["a"]}}', "do not fit its 1"),
        ("config.json", '{"encoder": "query_en"}', "holds no head of intents"),
        ("config.json", "{", "holds no head of intents"),
    ],
)
def test_a_version_that_is_wrong_is_told(repository: Path, file, content, told) -> None:
    version = publish(repository, sure_of(0, 2, WIDTH))
    (version / file).write_text(content)
    with pytest.raises(ValueError, match=told):
        load_head(repository, "shop_intents", 1)
    (version / "labels.json").unlink()
    with pytest.raises(UnavailableError):
        load_head(repository, "shop_intents", 1)
