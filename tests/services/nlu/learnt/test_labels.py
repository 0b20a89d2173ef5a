import json
from pathlib import Path
from typing import Any

import pytest

from services.nlu.learnt.labels import ClassHead, TokenHead, VectorHead, read_labels
from shared.errors import UnavailableError

GOOD: dict[str, Any] = {
    "entities": {
        "kind": "tokens",
        "labels": ["O", "B-BRAND", "I-BRAND"],
        "transitions": [[0, 0, -10000], [0, 0, 0.5], [0, 0, 0]],
        "start": [0, 0, -10000],
        "end": [0, 0, 0],
    },
    "intent": {"kind": "classes", "labels": ["product_search", "support/track_order"]},
    "sentence_embedding": {"kind": "vector", "dimension": 384},
}


def write(folder: Path, content: Any) -> Path:
    path = folder / "labels.json"
    path.write_text(json.dumps(content))
    return path


def test_every_kind_of_head_is_read(tmp_path: Path) -> None:
    heads = read_labels(write(tmp_path, GOOD))
    entities = heads["entities"]
    assert isinstance(entities, TokenHead)
    assert entities.tags == ("O", "B-BRAND", "I-BRAND")
    assert entities.transitions[1, 2] == 0.5
    assert heads["intent"] == ClassHead(("product_search", "support/track_order"), 1.0)
    assert heads["sentence_embedding"] == VectorHead(384)


def test_a_missing_file_is_a_missing_model(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"labels\.json"):
        read_labels(tmp_path / "labels.json")


@pytest.mark.parametrize(
    "change",
    [
        {"labels": ["O", "B-BRAND"]},
        {"start": [0, 0]},
        {"transitions": [[0, 0], [0, 0]]},
        {"labels": []},
        {"kind": "guesses"},
    ],
)
def test_what_does_not_hold_together_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    broken = {**GOOD, "entities": GOOD["entities"] | change}
    with pytest.raises(ValueError, match="entities"):
        read_labels(write(tmp_path, broken))


def test_a_temperature_of_nothing_is_refused(tmp_path: Path) -> None:
    broken = {**GOOD, "intent": GOOD["intent"] | {"temperature": 0}}
    with pytest.raises(ValueError, match="temperature"):
        read_labels(write(tmp_path, broken))
