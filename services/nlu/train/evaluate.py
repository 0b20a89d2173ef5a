"""Figures of a model on the dev halves of its tasks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn import metrics

from services.nlu.learnt.decode import read_spans
from services.nlu.learnt.labels import TokenHead
from services.nlu.learnt.tokens import ModelTokenizer, TokenRow
from services.nlu.train.batching import token_batches
from services.nlu.train.encoded import inputs
from services.nlu.train.examples import Example, Span, TaskData, TaskKind, bio_labels
from services.nlu.train.model import EMBEDDING, QueryModel

_metrics = cast("Any", metrics)  # sklearn leaves its types open

TOKEN_BUDGET = 8_192

CHUNK = 64
"""Texts whose tags are read at once."""


@dataclass(frozen=True)
class Judged:
    """What a head says of the dev half of its task.

    Attributes:
        dev: The examples that it was asked about.
        spans: Of token heads, what it found in each.
        classes: Of class heads, what it chose for each.
    """

    task: TaskData
    dev: Sequence[Example]
    spans: Sequence[tuple[Span, ...]] = ()
    classes: Sequence[str] = ()

    def figures(self) -> dict[str, float]:
        """Returns "NAME.f1", or "NAME.accuracy" and "NAME.macro_f1"."""
        head = self.task.head
        if self.task.kind is TaskKind.TOKENS:
            return {f"{head}.f1": span_f1([item.spans for item in self.dev], self.spans)}
        gold = [item.label for item in self.dev]
        macro = _metrics.f1_score(gold, self.classes, average="macro", zero_division=0.0)
        return {
            f"{head}.accuracy": float(_metrics.accuracy_score(gold, self.classes)),
            f"{head}.macro_f1": float(macro),
        }

    def report(self) -> str:
        """Returns a report per type of span (seqeval) or per class (sklearn)."""
        if self.task.kind is TaskKind.TOKENS:
            texts = [item.text for item in self.dev]
            report = span_report(texts, [item.spans for item in self.dev], self.spans)
        else:
            report = class_report([item.label for item in self.dev], self.classes)
        return f"{self.task.head}\n{report}"


@dataclass(frozen=True)
class Evaluation:
    """A model against the dev halves of its tasks.

    Attributes:
        heads: Of the tasks of tokens and classes.
        matching: "matching.auc" or "matching.mrr", where there are pairs.
    """

    heads: Sequence[Judged]
    matching: Mapping[str, float]

    def figures(self) -> dict[str, float]:
        """Returns all figures by name."""
        found = {name: value for head in self.heads for name, value in head.figures().items()}
        return {**found, **self.matching}

    def report(self) -> str:
        """Returns the reports head after head."""
        return "\n".join(head.report() for head in self.heads)


def evaluate(
    model: QueryModel, tokenizer: ModelTokenizer, tasks: Iterable[TaskData], *, limit: int = 0
) -> Evaluation:
    """Asks every head about the dev half of its task.

    Args:
        model: In evaluation mode.
        tokenizer: The model's.
        tasks: Those whose dev halves are measured.
        limit: Dev examples of a task at most, for a quick look; 0 takes all.
    """
    heads: list[Judged] = []
    matching: dict[str, float] = {}
    classes: dict[tuple[str, ...], list[TaskData]] = {}
    for task in tasks:
        dev = task.dev[:limit] if limit else task.dev
        texts = [item.text for item in dev]
        if task.kind is TaskKind.TOKENS:
            heads.append(Judged(task, dev, spans=predict_spans(model, tokenizer, task, texts)))
        elif task.kind is TaskKind.CLASSES:
            # Tasks over the same texts are read in one go.
            classes.setdefault(tuple(texts), []).append(task)
        else:
            matching |= _matching(model, tokenizer, dev)
    for texts, together in classes.items():
        outputs = outputs_of(model, tokenizer.encode(texts), [task.head for task in together])
        for task in together:
            chosen = [task.labels[int(item.argmax())] for item in outputs[task.head]]
            heads.append(Judged(task, task.dev[: len(texts)], classes=chosen))
    return Evaluation(heads, matching)


def evaluate_heads(
    model: QueryModel, tokenizer: ModelTokenizer, tasks: Iterable[TaskData]
) -> dict[str, float]:
    """Returns the figures of `evaluate` over whole dev halves.

    They are "NAME.f1" (exact spans and types, micro), or "NAME.accuracy" and "NAME.macro_f1", and
    for matching "matching.auc" or "matching.mrr".
    """
    return evaluate(model, tokenizer, tasks).figures()


def predict_spans(
    model: QueryModel, tokenizer: ModelTokenizer, task: TaskData, texts: Sequence[str]
) -> list[tuple[Span, ...]]:
    """Returns the spans that a token head finds in each text."""
    rows = tokenizer.encode(texts)
    logits = head_outputs(model, rows, task.head)
    return read_tags(logits, rows, tag_chain(model, task))


def tag_chain(model: QueryModel, task: TaskData) -> TokenHead:
    """Returns the tags of a token head with the chain that scores them."""
    crf: Any = model.heads[task.head].crf
    with torch.no_grad():
        transitions, start, end = (item.float().numpy() for item in crf.scores())
    return TokenHead(tuple(bio_labels(task.labels)), transitions, start, end)


def read_tags(
    logits: Sequence[NDArray[np.float32]], rows: Sequence[TokenRow], head: TokenHead
) -> list[tuple[Span, ...]]:
    """Returns the spans that logits, (tokens, tags) a text, name in each text."""
    spans: list[tuple[Span, ...]] = []
    for at in range(0, len(rows), CHUNK):
        some = logits[at : at + CHUNK]
        padded = np.zeros((len(some), max(map(len, some)), len(head.tags)), dtype=np.float32)
        for target, row in zip(padded, some, strict=True):
            target[: len(row)] = row
        for found in read_spans(padded, rows[at : at + CHUNK], head):
            spans.append(tuple(Span(item.start, item.end, item.label) for item in found))
    return spans


def head_outputs(
    model: QueryModel, rows: Sequence[TokenRow], head: str
) -> list[NDArray[np.float32]]:
    """Returns one output of the model for each text; of token heads (tokens, tags)."""
    return outputs_of(model, rows, (head,))[head]


def outputs_of(
    model: QueryModel, rows: Sequence[TokenRow], heads: Sequence[str]
) -> dict[str, list[NDArray[np.float32]]]:
    """Returns several outputs of the model for each text, from one forward pass."""
    outputs: dict[str, list[Any]] = {head: [None] * len(rows) for head in heads}
    lengths = [len(row.ids) for row in rows]
    with torch.no_grad():
        for batch in token_batches(lengths, TOKEN_BUDGET, seed=0, epoch=0, shuffle=False):
            given = inputs([rows[at] for at in batch])
            made = model(given["input_ids"], given["segments"], only=heads)
            for head in heads:
                for at, row in zip(batch, made[head].float().numpy(), strict=True):
                    outputs[head][at] = row[: lengths[at]] if row.ndim > 1 else row
    return outputs


def span_f1(gold: Sequence[Sequence[Span]], found: Sequence[Sequence[Span]]) -> float:
    """Returns the micro F1 of exact spans and types."""
    right = sum(len(set(a) & set(b)) for a, b in zip(gold, found, strict=True))
    total = sum(len(set(a)) + len(set(b)) for a, b in zip(gold, found, strict=True))
    return 2 * right / total if total else 1.0


def span_report(
    texts: Sequence[str], gold: Sequence[Sequence[Span]], found: Sequence[Sequence[Span]]
) -> str:
    """Returns seqeval's report per type, by characters in BIO."""
    from seqeval import metrics as sequence_metrics  # pyright: ignore[reportMissingTypeStubs]

    return str(
        cast("Any", sequence_metrics).classification_report(
            [_characters(text, spans) for text, spans in zip(texts, gold, strict=True)],
            [_characters(text, spans) for text, spans in zip(texts, found, strict=True)],
            digits=3,
            zero_division=0,
        )
    )


def class_report(gold: Sequence[str], chosen: Sequence[str]) -> str:
    """Returns sklearn's report per class."""
    return str(_metrics.classification_report(gold, chosen, digits=3, zero_division=0.0))


def _characters(text: str, spans: Sequence[Span]) -> list[str]:
    tags = ["O"] * len(text)
    for span in spans:
        tags[span.start : span.end] = [
            f"B-{span.label}",
            *[f"I-{span.label}"] * (span.end - span.start - 1),
        ]
    return tags


def _matching(
    model: QueryModel, tokenizer: ModelTokenizer, pairs: Sequence[Example]
) -> dict[str, float]:
    """AUC where dev pairs are labelled "1" and "0", else the reciprocal rank among all of them."""
    left = np.stack(head_outputs(model, tokenizer.encode([p.text for p in pairs]), EMBEDDING))
    right = np.stack(head_outputs(model, tokenizer.encode([p.other for p in pairs]), EMBEDDING))
    labels = [pair.label for pair in pairs]
    if any(labels):
        cosines = (left * right).sum(1)
        return {
            "matching.auc": float(
                _metrics.roc_auc_score([label == "1" for label in labels], cosines)
            )
        }
    scores = left @ right.T
    ranks = (scores >= scores.diagonal()[:, None]).sum(1)
    return {"matching.mrr": float((1.0 / ranks).mean())}
