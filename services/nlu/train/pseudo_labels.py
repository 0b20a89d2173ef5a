"""Self-training: a model labels texts itself, and learns from those that it is sure of.

Lee, "Pseudo-Label" (2013), with as many texts of each class (against the drift towards the easier
one; Zou et al., 2018) and labels made anew in every round, so that an early error may be dropped
(Xie et al., "Noisy Student", 2020).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from services.nlu.train.examples import Example, TaskData, TaskKind
from services.nlu.train.linear import Fit, Predict, Shares


class SelfTrainingSettings(BaseModel):
    """How a model teaches itself."""

    threshold: float = Field(default=0.9, gt=0, le=1)
    """Probability of the best class from which a text counts."""
    rounds: int = Field(default=3, ge=1)
    per_class: int = Field(default=500, ge=1)
    """Texts of a class in the first round at most; every round adds as many."""
    soft: bool = False
    """Learn from the probabilities instead of the best class."""
    weight: float = Field(default=0.5, gt=0)
    """Of a text with such a label against one that a person labelled."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round of self-training.

    Attributes:
        accuracy: On dev, of the model that the round gave.
        added: Pseudo-labelled texts that it learnt from.
        confident: Texts above the threshold, before the classes were evened out.
        threshold_share: Share of the unlabelled texts above the threshold.
    """

    accuracy: float
    added: int = 0
    confident: int = 0
    threshold_share: float = 0.0


@dataclass(frozen=True)
class SelfTraining:
    """What came of it.

    Attributes:
        rounds: The first is the model without pseudo-labels.
        pseudo: The examples of the last round.
        predict: The last model.
    """

    rounds: tuple[Round, ...]
    pseudo: tuple[Example, ...]
    predict: Predict


def self_train(
    task: TaskData, unlabelled: Sequence[str], fit: Fit, settings: SelfTrainingSettings, seed: int
) -> SelfTraining:
    """Trains with and without pseudo-labels.

    Dev is measured and never learnt from: no round is chosen by it.

    Args:
        task: Of CLASSES; `train` are the labelled examples.
        unlabelled: Texts; those that stand in train or dev are left out.
        fit: The learner.
        settings: How.
        seed: Of the learner.

    Raises:
        ValueError: The task is of another kind, or has no examples.
    """
    if task.kind is not TaskKind.CLASSES or not task.train or not task.dev:
        raise ValueError("self-training needs a task of classes with examples in train and dev")
    known = {example.text for example in (*task.train, *task.dev)}
    texts = [text for text in dict.fromkeys(unlabelled) if text not in known]
    predict = fit(task.train, task.labels, seed)
    rounds = [Round(accuracy(predict, task))]
    pseudo: list[Example] = []
    for number in range(1, settings.rounds + 1):
        if not texts:
            break
        shares = predict(texts)
        limited = settings.model_copy(update={"per_class": settings.per_class * number})
        pseudo = confident_examples(texts, shares, task.labels, limited)
        sure = int((shares.max(axis=1) >= settings.threshold).sum())
        if pseudo:
            predict = fit([*task.train, *pseudo], task.labels, seed)
        rounds.append(Round(accuracy(predict, task), len(pseudo), sure, sure / len(texts)))
    return SelfTraining(tuple(rounds), tuple(pseudo), predict)


def confident_examples(
    texts: Sequence[str], shares: Shares, labels: Sequence[str], settings: SelfTrainingSettings
) -> list[Example]:
    """Returns the texts that are above the threshold, as many of each class, the surest first.

    Args:
        texts: Without labels.
        shares: (texts, classes), what the model thinks.
        labels: Of the classes.
        settings: Threshold, limit of a class, soft or hard, weight.
    """
    best, sureness = shares.argmax(axis=1), shares.max(axis=1)
    chosen: list[NDArray[np.intp]] = []
    for place in range(len(labels)):
        of_class = np.flatnonzero((best == place) & (sureness >= settings.threshold))
        chosen.append(of_class[np.argsort(-sureness[of_class], kind="stable")])
    evened = min(settings.per_class, *(len(positions) for positions in chosen))
    examples: list[Example] = []
    for label, positions in zip(labels, chosen, strict=True):
        for at in map(int, positions[:evened]):
            example = Example(texts[at], label=label, weight=settings.weight)
            if settings.soft:
                example = replace(example, label="", soft=tuple(map(float, shares[at])))
            examples.append(example)
    return examples


def accuracy(predict: Predict, task: TaskData) -> float:
    """Returns the share of dev that a model gets right."""
    best = predict([example.text for example in task.dev]).argmax(axis=1)
    gold = [task.labels.index(example.label) for example in task.dev]
    return float((best == np.array(gold)).mean())
