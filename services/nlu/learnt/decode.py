"""Logits to spans and probabilities, for whole batches at once.

Tags are read by the linear chain that the heads were trained with: the best path by Viterbi (1967),
and how sure each tag is by forward and backward sums (Rabiner, 1989), in numpy, for a request must
not wait for more than the forward pass itself.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.nlu.learnt.labels import ClassHead, TokenHead
from services.nlu.learnt.port import LabelledSpan, Scored
from services.nlu.learnt.tokens import TokenRow

Floats = NDArray[np.float32]

_OUTSIDE: Final = "O"


def read_spans(
    logits: Floats, rows: Sequence[TokenRow], head: TokenHead
) -> list[tuple[LabelledSpan, ...]]:
    """Returns the spans that a head finds in each text, in order and without overlaps.

    Args:
        logits: (texts, tokens, tags); what is past the end of a text is not looked at.
        rows: The tokens of each text.
        head: The tags and the chain that scores them.
    """
    lengths = np.asarray([len(row.ids) for row in rows])
    paths = best_paths(logits, lengths, head)
    if not paths.any():  # tag 0 is "O": nothing is named, so nobody asks how surely
        return [() for _ in rows]
    sure = tag_probabilities(logits, lengths, head)
    chosen = np.take_along_axis(sure, paths[:, :, None], axis=2)[:, :, 0]
    found: list[tuple[LabelledSpan, ...]] = []
    for row, path, confidences in zip(rows, paths, chosen, strict=True):
        tags: list[int] = path[: len(row.ids)].tolist()
        found.append(_spans(row, [head.tags[tag] for tag in tags], confidences.tolist()))
    return found


def read_classes(logits: Floats, head: ClassHead) -> list[Scored]:
    """Returns the labels of each text with their probabilities, best first.

    Args:
        logits: (texts, classes).
        head: The labels, and the temperature that the logits are divided by (Guo et al., 2017).
    """
    scaled = logits.astype(np.float64) / head.temperature
    shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    order = np.argsort(-shares, axis=1, kind="stable")
    ranked: list[list[int]] = order.tolist()
    return [
        tuple((head.labels[at], float(share[at])) for at in row)
        for share, row in zip(shares, ranked, strict=True)
    ]


def best_paths(logits: Floats, lengths: NDArray[np.intp], head: TokenHead) -> NDArray[np.intp]:
    """Returns the likeliest tags of each text, (texts, tokens); 0 past the end of a text.

    Args:
        logits: (texts, tokens, tags).
        lengths: (texts,), each at least 1.
        head: The chain.
    """
    texts, tokens, tags = logits.shape
    own = np.arange(tags, dtype=np.intp)
    back = np.empty((tokens, texts, tags), dtype=np.intp)
    score = head.start + logits[:, 0]
    for at in range(1, tokens):
        live = (lengths > at)[:, None]
        reached = score[:, :, None] + head.transitions
        # A text that is over keeps its score, and leads each tag back to itself.
        back[at] = np.where(live, reached.argmax(axis=1), own)
        score = np.where(live, reached.max(axis=1) + logits[:, at], score)
    paths = np.zeros((texts, tokens), dtype=np.intp)
    last = (score + head.end).argmax(axis=1)
    everyone = np.arange(texts, dtype=np.intp)
    for at in range(tokens - 1, -1, -1):
        paths[:, at] = np.where(lengths > at, last, 0)
        if at:
            last = back[at][everyone, last]
    return paths


def tag_probabilities(logits: Floats, lengths: NDArray[np.intp], head: TokenHead) -> Floats:
    """Returns the probability of every tag at every token, (texts, tokens, tags).

    Sums run over probabilities that are scaled at each step, so none of them runs out of range.
    Past the end of a text the numbers mean nothing.
    """
    texts, tokens, _ = logits.shape
    step, start, end = np.exp(head.transitions), np.exp(head.start), np.exp(head.end)
    local = np.exp(logits - logits.max(axis=2, keepdims=True))
    forward = np.empty_like(local)
    forward[:, 0] = _scaled(start * local[:, 0])
    for at in range(1, tokens):
        forward[:, at] = _scaled(forward[:, at - 1] @ step * local[:, at])
    backward = np.empty_like(local)
    following = np.tile(end, (texts, 1))
    for at in range(tokens - 1, -1, -1):
        following = np.where((lengths == at + 1)[:, None], end, following)
        backward[:, at] = following
        following = _scaled((following * local[:, at]) @ step.T)
    return _scaled(forward * backward)


def _scaled(values: Floats) -> Floats:
    """Rows that sum to 1; the floor keeps a row that nothing can reach from dividing by zero."""
    total = values.sum(axis=-1, keepdims=True)
    return (values / np.maximum(total, np.finfo(np.float32).tiny)).astype(np.float32)


def _spans(
    row: TokenRow, tags: Sequence[str], confidences: Sequence[float]
) -> tuple[LabelledSpan, ...]:
    """A span is as sure as its least sure token."""
    spans: list[LabelledSpan] = []
    for (start, end), tag, confidence in zip(row.offsets, tags, confidences, strict=False):
        if tag == _OUTSIDE or end <= start:  # special tokens cover nothing
            continue
        kind = tag[2:]
        last = spans[-1] if spans else None
        if tag[0] == "I" and last is not None and last.label == kind:
            spans[-1] = LabelledSpan(last.start, end, kind, min(last.confidence, confidence))
        else:
            spans.append(LabelledSpan(start, end, kind, confidence))
    return tuple(spans)
