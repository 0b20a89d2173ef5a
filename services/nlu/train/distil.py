"""Distillation: a smaller student learns what a teacher says, and how it comes to say it.

Logits are softened by a temperature (Hinton et al., 2015); the states of the layers that the
student stands for are matched as in TinyBERT (Jiao et al., 2020). No label is needed, so that every
text teaches every head.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch
from pydantic import BaseModel, Field
from torch.nn import functional

from services.nlu.learnt.tokens import TokenRow
from services.nlu.train.batching import token_batches
from services.nlu.train.bigram_embedding import fit_bigrams
from services.nlu.train.encoded import inputs
from services.nlu.train.loop import LoopSettings, Recipe, train
from services.nlu.train.model import EMBEDDING, ModelSpec, QueryModel, TokenHead
from services.nlu.train.progress import History


class DistilSettings(BaseModel):
    """How a student is taught."""

    temperature: float = Field(default=2.0, gt=0)
    """Divides the logits of both, so that what is unlikely counts as well."""
    state_weight: float = Field(default=1.0, ge=0)
    """Of the mean squared difference of layers' states."""
    vector_weight: float = Field(default=1.0, ge=0)
    """Of one less the cosine of the sentence vectors; unused where widths differ."""
    token_budget: int = Field(default=2048, ge=64)
    loop: LoopSettings = LoopSettings()


def make_student(teacher: QueryModel, layers: Sequence[int], *, width: int = 0) -> QueryModel:
    """Returns a student that begins as some of the teacher's layers.

    Args:
        teacher: A model with a BERT encoder.
        layers: Those of its layers, from 0 in order, that the student begins as.
        width: Of the student's states, where it is to be narrower; its layers then start from
            chance and its table of words from the teacher's principal components.

    Raises:
        ValueError: No layer is named, or one that is not there; or the heads do not divide `width`.
    """
    config = deepcopy(teacher.encoder.config)
    if not layers or not set(layers) <= set(range(config.num_hidden_layers)):
        raise ValueError(f"the teacher has no layers {tuple(layers)}")
    wide = int(config.hidden_size)
    config.num_hidden_layers = len(layers)
    if width and width != wide:
        if width % config.num_attention_heads:
            raise ValueError(f"{config.num_attention_heads} heads do not divide {width}")
        config.intermediate_size = config.intermediate_size * width // wide
        config.hidden_size = width
    spec = teacher.spec.model_copy(
        update={"base": "", "tuning": ModelSpec().tuning, "encoder": config.to_dict()}
    )
    student = QueryModel(spec, fit_bigrams(type(teacher.encoder)(config)))
    if config.hidden_size == wide:
        student.encoder.embeddings.load_state_dict(teacher.encoder.embeddings.state_dict())
        for mine, at in zip(student.encoder.encoder.layer, layers, strict=True):
            mine.load_state_dict(teacher.encoder.encoder.layer[at].state_dict())
    else:
        _take_words(student.encoder, teacher.encoder)
    # Of other widths the parts that fit: transitions of tags, tables of n-grams.
    known = student.heads.state_dict()
    fitting = {
        name: item
        for name, item in teacher.heads.state_dict().items()
        if item.shape == known[name].shape
    }
    student.heads.load_state_dict(fitting, strict=False)
    return student.eval()


def _take_words(student: Any, teacher: Any) -> None:
    words = teacher.embeddings.word_embeddings.weight.detach().float()
    own = student.embeddings.word_embeddings.weight
    algebra: Any = torch.linalg
    _, _, directions = algebra.svd(words - words.mean(0), full_matrices=False)
    narrow: Any = (words - words.mean(0)) @ directions[: own.shape[1]].T
    with torch.no_grad():
        own.copy_(narrow / narrow.std() * words.std())


class Pupil(torch.nn.Module):
    """A student while it learns.

    Args:
        student: Has the teacher's heads and reads the same ids.
        layers: The teacher's layer that each of the student's stands for.
        width: Of the teacher's states; a map from the student's to them is learnt beside it where
            they differ, and thrown away afterwards.
    """

    def __init__(self, student: QueryModel, layers: Sequence[int], width: int) -> None:
        super().__init__()
        self.student = student
        self.layers = tuple(layers)
        own = int(student.encoder.config.hidden_size)
        self.widen: torch.nn.Module = (
            torch.nn.Identity() if own == width else torch.nn.Linear(own, width)
        )


def distil(
    teacher: QueryModel,
    pupil: Pupil,
    rows: Sequence[TokenRow],
    settings: DistilSettings,
    folder: Path,
    *,
    evaluate: Callable[[QueryModel], Mapping[str, float]],
) -> History:
    """Trains a student in place, or takes up the run that `folder` holds.

    Args:
        teacher: Stays as it is; it is left without gradients.
        pupil: The student.
        rows: Texts to learn from, tokenised.
        settings: How.
        folder: Of the run.
        evaluate: Figures of a student after each epoch.
    """
    teacher.eval().requires_grad_(False)
    lengths = [len(row.ids) for row in rows]

    def batches(epoch: int) -> Sequence[Any]:
        return token_batches(lengths, settings.token_budget, seed=settings.loop.seed, epoch=epoch)

    def collate(batch: list[int], _: int) -> Mapping[str, Any]:
        return inputs([rows[at] for at in batch])

    def loss(module: Any, batch: Mapping[str, Any]) -> Mapping[str, torch.Tensor]:
        inner: Pupil = getattr(module, "module", module)
        return distillation_losses(teacher, inner, batch, settings)

    return train(
        Recipe(pupil, batches, collate, loss, lambda module: evaluate(module.student)),
        settings.loop,
        folder,
        title=folder.name,
    )


def distillation_losses(
    teacher: QueryModel,
    pupil: Pupil,
    batch: Mapping[str, torch.Tensor],
    settings: DistilSettings,
) -> dict[str, torch.Tensor]:
    """Returns the losses of a batch: one a head, "states" and "vector".

    Args:
        teacher: Gives the targets.
        pupil: Learns.
        batch: `input_ids` and `segments`, (batch, tokens).
        settings: Temperature and weights.
    """
    ids, segments = batch["input_ids"], batch["segments"]
    student = pupil.student
    with torch.no_grad(), LayerTap(teacher) as theirs:
        wanted = teacher(ids, segments)
    with LayerTap(student) as mine:
        made = student(ids, segments)
    mask = (ids != 0).float()
    losses = {
        name: soft_loss(
            made[name],
            wanted[name],
            settings.temperature,
            mask if isinstance(head, TokenHead) else None,
        )
        for name, head in student.heads.items()
    }
    if settings.state_weight:
        differences = [
            ((pupil.widen(own) - theirs.states[at]).float() ** 2).mean(-1)
            for own, at in zip(mine.states, pupil.layers, strict=True)
        ]
        total = torch.stack([(item * mask).sum() / mask.sum() for item in differences]).mean()
        losses["states"] = settings.state_weight * total
    if settings.vector_weight and made[EMBEDDING].shape == wanted[EMBEDDING].shape:
        cosine = functional.cosine_similarity(made[EMBEDDING].float(), wanted[EMBEDDING].float())
        losses["vector"] = settings.vector_weight * (1.0 - cosine).mean()
    return losses


def soft_loss(
    made: torch.Tensor,
    wanted: torch.Tensor,
    temperature: float,
    mask: torch.Tensor | None = None,
) -> torch.Tensor:
    """Returns the divergence of softened distributions, at the scale of the gradients without it.

    Args:
        made: (..., labels) logits of the student.
        wanted: Of the teacher.
        temperature: Divides both.
        mask: (batch, tokens) where rows are tokens: 0 leaves one out.
    """
    if made.shape[-1] == 1:  # a single logit says yes or no
        target = torch.sigmoid(wanted.float())
        return functional.binary_cross_entropy_with_logits(made.float(), target)
    divergence = functional.kl_div(
        functional.log_softmax(made.float() / temperature, dim=-1),
        functional.log_softmax(wanted.float() / temperature, dim=-1),
        reduction="none",
        log_target=True,
    ).sum(-1)
    mean = divergence.mean() if mask is None else (divergence * mask).sum() / mask.sum()
    return mean * temperature**2


class LayerTap:
    """Keeps what each layer of a model's encoder gives out, while it is open.

    Attributes:
        states: (batch, tokens, width) a layer.
    """

    def __init__(self, model: QueryModel) -> None:
        self._layers: Any = model.encoder.encoder.layer
        self._hooks: list[Any] = []
        self.states: list[torch.Tensor] = []

    def __enter__(self) -> Self:
        """Begins to listen."""
        self._hooks = [layer.register_forward_hook(self._keep) for layer in self._layers]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stops listening."""
        for hook in self._hooks:
            hook.remove()

    def _keep(self, layer: Any, given: Any, made: Any) -> None:
        self.states.append(made if isinstance(made, torch.Tensor) else made[0])
