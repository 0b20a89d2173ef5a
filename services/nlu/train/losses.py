"""The loss of each kind of task, and how the tasks' losses are weighed against one another."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch.nn import functional

from services.nlu.train.examples import TaskData, TaskKind
from services.nlu.train.model import EMBEDDING, QueryModel

TEMPERATURE = 0.05
"""Of matching: cosines are divided by it."""

SOFT_SHARE = 0.5
"""Share of a teacher's probabilities in the loss of an example that has a label too."""


class LossWeights(torch.nn.Module):
    """Weighs losses by the noise of their tasks (Kendall, Gal and Cipolla, 2018).

    Args:
        tasks: Their names.
        learnt: False leaves every loss as it is.
        fixed: Weights of losses that are no task's.
    """

    def __init__(
        self,
        tasks: Sequence[str],
        *,
        learnt: bool,
        fixed: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        super().__init__()
        self._fixed = fixed
        self._at = {name: at for at, name in enumerate(tasks)}
        self.log_variance = torch.nn.Parameter(torch.zeros(len(tasks)), requires_grad=learnt)

    def forward(self, task: str, loss: torch.Tensor) -> torch.Tensor:
        """Returns the weighed loss of one task's batch."""
        if task in self._fixed:
            return self._fixed[task] * loss
        log_variance = self.log_variance[self._at[task]]
        return torch.exp(-log_variance) * loss + 0.5 * log_variance


KEPT = "kept"
"""Name of the loss that holds vectors where they were."""


def task_losses(
    model: QueryModel,
    tasks: Mapping[str, TaskData],
    batch: Mapping[str, Mapping[str, Any]],
    before: QueryModel | None = None,
) -> dict[str, torch.Tensor]:
    """Returns the mean loss of every task of a batch, from one forward pass.

    Args:
        model: In training.
        tasks: By name; several only when they are of classes and over the same texts.
        batch: Per task what `EncodedTask.collate` returns.
        before: The encoder as it was, in evaluation mode, when its vectors are to be kept: adds the
            loss KEPT, but for pairs.
    """
    first = next(iter(batch.values()))
    ids, segments = first["input_ids"], first["segments"]
    kinds = {task.kind for task in tasks.values()}
    if kinds == {TaskKind.PAIRS}:
        return {name: matching_loss(model, batch[name]) for name in tasks}
    heads = tuple(task.head for task in tasks.values())
    outputs = model(ids, segments, only=heads if before is None else (*heads, EMBEDDING))
    losses = {
        name: _mean(_losses(model, task, outputs[task.head].float(), batch[name]), batch[name])
        for name, task in tasks.items()
    }
    if before is not None:
        losses[KEPT] = distance_moved(outputs[EMBEDDING].float(), before, first)
    return losses


def _losses(
    model: QueryModel, task: TaskData, logits: torch.Tensor, batch: Mapping[str, Any]
) -> torch.Tensor:
    if task.kind is TaskKind.CLASSES:
        return class_losses(logits, batch["labels"], batch.get("soft"))
    crf: Any = model.heads[task.head].crf
    mask = batch["input_ids"] != 0
    # Between a text's share and a token's, so that long titles do not drown short queries.
    return crf.loss(logits, batch["tags"], mask) / mask.sum(1).to(logits.dtype).sqrt()


def _mean(losses: torch.Tensor, batch: Mapping[str, Any]) -> torch.Tensor:
    weights: torch.Tensor = batch["weights"]
    return (losses * weights).sum() / weights.sum().clamp(min=1e-6)


def class_losses(
    logits: torch.Tensor, labels: torch.Tensor, soft: torch.Tensor | None
) -> torch.Tensor:
    """Returns cross entropies, (batch,), with a teacher's probabilities where there are any."""
    hard = functional.cross_entropy(logits, labels, reduction="none", label_smoothing=0.02)
    if soft is None:
        return hard
    taught = soft.sum(1) > 0
    labelled = labels >= 0
    softened = -(soft * torch.log_softmax(logits, -1)).sum(1)
    both = (1.0 - SOFT_SHARE) * hard + SOFT_SHARE * softened
    return torch.where(taught & labelled, both, torch.where(taught, softened, hard))


def matching_loss(model: QueryModel, batch: Mapping[str, Any]) -> torch.Tensor:
    """Returns the symmetric InfoNCE of pairs among their batch and hard negatives.

    A text without another is paired with itself under other dropout (SimCSE: Gao et al., 2021).
    """
    left = _vectors(model, batch)
    right = _vectors(model, batch["other"])
    pool = right
    if "negative" in batch:
        pool = torch.cat([right, _vectors(model, batch["negative"])])
    own = torch.arange(len(left), device=left.device)
    scores = left @ pool.T / TEMPERATURE
    back = right @ left.T / TEMPERATURE
    # The same text twice in a batch is no negative of itself.
    twins = _same(batch["other"]["input_ids"]) | _same(batch["input_ids"])
    scores[:, : len(left)] = scores[:, : len(left)].masked_fill(twins, -1e4)
    back = back.masked_fill(twins, -1e4)
    return (functional.cross_entropy(scores, own) + functional.cross_entropy(back, own)) / 2


def keeping_loss(model: QueryModel, before: QueryModel, batch: Mapping[str, Any]) -> torch.Tensor:
    """Returns how far the vectors of pairs have moved; see `distance_moved`.

    Args:
        model: In training.
        before: The encoder as it was, in evaluation mode.
        batch: As `EncodedTask.collate` returns it.
    """
    parts = (batch, batch["other"])
    moved = [distance_moved(_vectors(model, part), before, part) for part in parts]
    return torch.stack(moved).mean()


def distance_moved(
    vectors: torch.Tensor, before: QueryModel, batch: Mapping[str, Any]
) -> torch.Tensor:
    """Returns how far texts' vectors have moved: 1 less their cosine, the mean over the texts.

    It keeps what a general encoder knows of texts that no task shows (learning without forgetting:
    Li and Hoiem, 2016).

    Args:
        vectors: (texts, width) of unit length.
        before: The encoder as it was, in evaluation mode.
        batch: The texts' `input_ids` and `segments`, (texts, tokens).
    """
    with torch.no_grad():
        kept = _vectors(before, batch)
    return (1.0 - (vectors * kept).sum(1)).mean()


def _vectors(model: QueryModel, batch: Mapping[str, Any]) -> torch.Tensor:
    outputs = model(batch["input_ids"], batch["segments"], only=(EMBEDDING,))
    return outputs[EMBEDDING].float()


def _same(ids: torch.Tensor) -> torch.Tensor:
    """(rows, rows): whether two different rows hold the same text."""
    equal = (ids.unsqueeze(0) == ids.unsqueeze(1)).all(-1)
    return equal & ~torch.eye(len(ids), dtype=torch.bool, device=ids.device)
