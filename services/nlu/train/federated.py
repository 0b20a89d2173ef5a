"""A shop's labelled utterances as rows for federated training: vectors of a frozen encoder.

A head over them is what is trained (`shared.federated.models.IntentHead`). What is to be served is
trained on vectors of the reader that serves it. Comparisons take those of the packaged MiniLM, for
the readers learnt from utterances of the set that is compared on.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.nlu.embedding import encode_all
from services.nlu.learnt.reader import TransformerReader
from shared.federated.errors import FederatedError
from shared.federated.models import Task
from shared.federated.rows import Rows
from shared.federated.trial import Trial
from shared.inference import InferenceSettings, open_model, open_text_encoder

ENCODER: Final = "minilm_l6"
"""Of comparisons."""
COLUMNS: Final = ("utterance", "intent")

Utterances = list[tuple[str, str]]


def read_utterances(path: Path) -> Utterances:
    """Reads utterances with their intents from a CSV file.

    Raises:
        FederatedError: It cannot be read, lacks a column, or holds no utterance.
    """
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise FederatedError(f"{path} has no column {' and '.join(missing)}")
            found = [(row["utterance"] or "", row["intent"] or "") for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FederatedError(f"{path}: {error}") from error
    kept = [(text, intent) for text, intent in found if text.strip() and intent.strip()]
    if not kept:
        raise FederatedError(f"{path} holds no utterance with an intent")
    return kept


async def shop_rows(
    utterances: Utterances, labels: Sequence[str], path: Path, settings: InferenceSettings
) -> tuple[Rows, Task]:
    """Returns one row an utterance, by the reader that is to serve the head, and the task.

    Args:
        utterances: With intents.
        labels: All that shops agreed on, in the order of their numbers.
        path: What to name in a message.
        settings: Of the reader.

    Raises:
        FederatedError: An intent is not among the labels, or the model is no reader.
        UnavailableError: The model's files were not made yet (`make models`).
    """
    targets = _targets(utterances, labels, path)
    try:
        reader = TransformerReader(open_model(settings), settings)
    except ValueError as error:
        raise FederatedError(str(error)) from error
    try:
        made = await reader.read([text for text, _ in utterances])
        name = reader.model
    finally:
        await reader.close()
    vectors = [each.vector for each in made.readings if each.vector is not None]
    if len(vectors) < len(utterances):
        raise FederatedError(f"{name} has no vectors")
    task = Task(kind="intent", width=len(vectors[0]), names=tuple(labels), encoder=name)
    return Rows(np.stack(vectors), targets, np.arange(len(targets), dtype=np.int64)), task


async def intent_rows(utterances: Utterances, labels: Sequence[str], path: Path) -> Rows:
    """Returns one row an utterance, by the packaged encoder.

    Args:
        utterances: With intents.
        labels: All that shops agreed on, in the order of their numbers.
        path: What to name in a message.

    Raises:
        FederatedError: An intent is not among the labels.
        UnavailableError: The encoder's files were not made yet (`make models`).
    """
    targets = _targets(utterances, labels, path)
    vectors = await _vectors([text for text, _ in utterances])
    return Rows(vectors, targets, np.arange(len(utterances), dtype=np.int64))


async def intent_trial(train: Path, test: Path) -> Trial:
    """Returns the comparison over two files; the labels are those of the first.

    Raises:
        FederatedError: A file is wrong.
    """
    learnt, measured = read_utterances(train), read_utterances(test)
    labels = sorted({intent for _, intent in learnt})
    rows = await intent_rows(learnt, labels, train)
    held = await intent_rows(measured, labels, test)
    task = Task(kind="intent", width=rows.features.shape[1], names=tuple(labels))
    return Trial(task, rows, rows.targets.astype(np.int64), held, np.zeros(0))


def _targets(utterances: Utterances, labels: Sequence[str], path: Path) -> NDArray[np.float32]:
    numbers = {label: number for number, label in enumerate(labels)}
    if unknown := sorted({intent for _, intent in utterances} - set(numbers)):
        raise FederatedError(
            f"{path} has intents that the labels do not name: {', '.join(unknown[:5])}"
        )
    return np.array([numbers[intent] for _, intent in utterances], dtype=np.float32)


async def _vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    encoder = open_text_encoder(InferenceSettings(backend="onnx", model=ENCODER, threads=1))
    try:
        return (await encode_all(encoder, texts)).vectors
    finally:
        await encoder.close()
