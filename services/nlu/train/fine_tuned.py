"""Full fine-tuning behind the shape that every learner of self-training has."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np

from services.nlu.train.evaluate import head_outputs
from services.nlu.train.examples import Example, TaskData, TaskKind
from services.nlu.train.linear import Fit, Predict, Shares
from services.nlu.train.loop import LoopSettings
from services.nlu.train.multitask import MultitaskSettings, TaskSettings, train_multitask

HELD_SHARE = 0.15
"""Share of the examples of full weight that decides which epoch is kept, so that dev does not."""
_TASK = "sentiment_zh"
"""A recipe's tasks have known names; whatever the examples are, they go by this one."""
_HEAD = "classes"


def fine_tuned_fit(
    encoder: str, folder: Path, *, word_places: bool, epochs: int, learning_rate: float
) -> Fit:
    """Returns a learner that fine-tunes the whole encoder with one class head.

    A fit that was done before, on the same examples with the same seed, is taken up from `folder`.

    Args:
        encoder: Folder of the encoder.
        folder: Of the runs.
        word_places: Whether the encoder reads the places of characters in words.
        epochs: At most; the best one by the held examples counts.
        learning_rate: At its peak.
    """

    def fit(examples: Sequence[Example], labels: Sequence[str], seed: int) -> Predict:
        taught, held = _hold_out(examples, seed)
        task = TaskData(_HEAD, TaskKind.CLASSES, tuple(labels), taught, held)
        settings = MultitaskSettings(
            encoder=encoder,
            tasks={_TASK: TaskSettings()},
            word_places=word_places,
            weighting="equal",
            loop=LoopSettings(
                epochs=epochs, learning_rate=learning_rate, warmup_share=0.1, seed=seed, trackers=()
            ),
        )
        run = folder / _key(settings, taught)
        trained = train_multitask(settings, Path(), run, loaded={_TASK: task})

        def predict(texts: Sequence[str]) -> Shares:
            rows = trained.tokenizer.encode(texts)
            logits = np.stack(head_outputs(trained.model, rows, _HEAD)).astype(np.float64)
            shares = np.exp(logits - logits.max(axis=1, keepdims=True))
            return shares / shares.sum(axis=1, keepdims=True)

        return predict

    return fit


def _hold_out(examples: Sequence[Example], seed: int) -> tuple[list[Example], list[Example]]:
    full = [at for at, example in enumerate(examples) if example.weight >= 1.0]
    # Only a choice that can be repeated is wanted of this generator.
    chosen = set(Random(seed).sample(full, max(1, round(HELD_SHARE * len(full)))))  # noqa: S311
    taught = [example for at, example in enumerate(examples) if at not in chosen]
    return taught, [examples[at] for at in sorted(chosen)]


def _key(settings: MultitaskSettings, taught: Sequence[Example]) -> str:
    digest = hashlib.sha256(settings.model_dump_json().encode())
    for example in taught:
        digest.update(repr((example.text, example.label, example.soft, example.weight)).encode())
    return digest.hexdigest()[:16]
