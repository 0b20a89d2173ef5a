"""Multi-task fine-tuning: one encoder learns entities, classes and matching at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from random import Random
from typing import Any, Literal

import torch
from pydantic import BaseModel, Field, field_validator

from services.nlu.learnt.tokens import ModelTokenizer
from services.nlu.train.arrays import seed_torch
from services.nlu.train.batching import token_batches
from services.nlu.train.encoded import EncodedTask, encode_task
from services.nlu.train.evaluate import evaluate
from services.nlu.train.examples import TaskData, TaskKind
from services.nlu.train.extra_labels import with_labels
from services.nlu.train.fake_quantisation import add_rounding
from services.nlu.train.loop import LoopSettings, Recipe, train
from services.nlu.train.losses import KEPT, LossWeights, keeping_loss, task_losses
from services.nlu.train.model import HeadSpec, ModelSpec, QueryModel
from services.nlu.train.progress import History
from services.nlu.train.tasks import TASKS, load_task
from services.nlu.train.tuning import Tuning, encoder_folder, open_encoder, wrap

EVALUATED = 1_500
"""Dev examples of a task that an epoch is judged by; the figures at the end are of all of them."""

_MAIN_FIGURES = (".f1", ".accuracy", ".auc", ".mrr")


class TaskSettings(BaseModel):
    """How a recipe uses a task."""

    repeat: float = Field(default=1.0, gt=0)
    """Times that its examples are seen in an epoch; below 1 a part of them, another each epoch."""
    limit: int = Field(default=0, ge=0)
    """Training examples at most, for trials; 0 takes all."""
    ngram_buckets: int = Field(default=0, ge=0)
    """See `HeadSpec`."""
    convolved: bool = False
    """See `HeadSpec`."""
    window_buckets: int = Field(default=0, ge=0)
    """See `HeadSpec`."""
    kept: bool = False
    """Of pairs: whether their vectors are held where they were, in place of being taught."""
    beside: str = ""
    """A task of classes over the same texts: both are learnt in the same forward passes, and
    `repeat` and `limit` are that task's."""


class MultitaskSettings(BaseModel):
    """A recipe of multi-task training."""

    encoder: str
    """A package's name, a folder, or "run:NAME" for the encoder of another run."""
    tasks: dict[str, TaskSettings]
    """By the names of `tasks.TASKS`; with one task it is single-task training."""
    tuning: Tuning = Tuning.FULL
    rank: int = Field(default=16, ge=1)
    weighting: Literal["uncertainty", "equal"] = "uncertainty"
    keep_vector: float = Field(default=0.0, ge=0)
    """Weight of the loss that holds vectors where the encoder had them before; 0 lets them go."""
    fake_quantisation: bool = False
    """Whether training rounds as the served 8-bit graph will."""
    word_places: bool = False
    max_tokens: int = Field(default=128, ge=8, le=512)
    token_budget: int = Field(default=2048, ge=64)
    head_rate: float = Field(default=3.0, gt=0)
    """Factor on the learning rate of what starts from chance."""
    labels: str = ""
    """File from `wherefore label export`, learnt beside the data sets; "" for none."""
    loop: LoopSettings = LoopSettings()

    @field_validator("tasks")
    @classmethod
    def _known(cls, tasks: dict[str, TaskSettings]) -> dict[str, TaskSettings]:
        for name, task in tasks.items():
            if name not in TASKS:
                raise ValueError(f"no task {name!r}; there are {', '.join(TASKS)}")
            if task.beside and task.beside not in tasks:
                raise ValueError(f"{name} is beside {task.beside!r}, which is not in the recipe")
        return tasks


@dataclass(frozen=True)
class Trained:
    """What a run leaves in memory."""

    model: QueryModel
    tokenizer: ModelTokenizer
    history: History
    figures: Mapping[str, float]


class Weighted(torch.nn.Module):
    """The model with the weights of its losses, which are learnt beside it."""

    def __init__(
        self, model: QueryModel, tasks: Sequence[str], *, learnt: bool, kept: float
    ) -> None:
        super().__init__()
        self.model = model
        self.weights = LossWeights(tasks, learnt=learnt, fixed={KEPT: kept})


def train_multitask(
    settings: MultitaskSettings,
    data: Path,
    folder: Path,
    *,
    loaded: Mapping[str, TaskData] | None = None,
) -> Trained:
    """Trains by a recipe, or takes up the run that `folder` holds.

    Args:
        settings: The recipe.
        data: Folder of the data sets.
        folder: Of the run.
        loaded: Tasks that are in memory already, by name.
    """
    encoder_path = settings.encoder
    if encoder_path.startswith("run:"):
        encoder_path = str(folder.parent / encoder_path.removeprefix("run:") / "encoder")
    tokenizer = ModelTokenizer(
        Path(encoder_folder(encoder_path)) / "tokenizer.json",
        settings.max_tokens,
        word_places=settings.word_places,
    )
    tasks = {name: (loaded or {}).get(name) or load_task(name, data) for name in settings.tasks}
    if settings.labels:
        beside = {name: chosen.beside for name, chosen in settings.tasks.items() if chosen.beside}
        tasks = with_labels(tasks, Path(settings.labels), beside=beside)
    encoded = {
        name: encode_task(task, tokenizer, limit=_limit(settings, name))
        for name, task in tasks.items()
    }
    _check(settings, tasks)
    seed_torch(settings.loop.seed)
    model = _new_model(settings, encoder_path, tasks, steps=_steps(settings, encoded))
    if settings.fake_quantisation:
        add_rounding(model.encoder)
    names = list(tasks)
    held = {name for name, task in settings.tasks.items() if task.kept}
    before: QueryModel | None = None
    if settings.keep_vector:
        headless = model.spec.model_copy(update={"heads": ()})
        before = QueryModel(headless, open_encoder(encoder_path)).eval()
    weighted = Weighted(
        model, names, learnt=settings.weighting == "uncertainty", kept=settings.keep_vector
    )

    def batches(epoch: int) -> Sequence[Any]:
        return _epoch(settings, encoded, epoch)

    def collate(batch: tuple[str, list[int]], step: int) -> Mapping[str, Any]:
        name, positions = batch
        together = [name, *(other for other in tasks if settings.tasks[other].beside == name)]
        return {task: encoded[task].collate(positions) for task in together}

    def loss(both: Any, batch: Mapping[str, Any]) -> Mapping[str, torch.Tensor]:
        inner = getattr(both, "module", both)
        if before is not None and held.intersection(batch):
            (pairs,) = batch.values()
            losses = {KEPT: keeping_loss(inner.model, before, pairs)}
        else:
            losses = task_losses(inner.model, {n: tasks[n] for n in batch}, batch, before)
        return {name: inner.weights(name, value) for name, value in losses.items()}

    def judge(both: Any, limit: int = EVALUATED) -> Mapping[str, float]:
        evaluation = evaluate(both.model, tokenizer, tasks.values(), limit=limit)
        figures = evaluation.figures()
        with (folder / "report.txt").open("a", encoding="utf-8") as file:
            file.write(f"{figures}\n\n{evaluation.report()}\n")
        main = [value for name, value in figures.items() if name.endswith(_MAIN_FIGURES)]
        return {**figures, "score": sum(main) / len(main)}

    def after_backward(step: int) -> None:
        adapt = getattr(getattr(model.encoder, "base_model", None), "update_and_allocate", None)
        if adapt:
            adapt(step)

    history = train(
        Recipe(
            weighted,
            batches,
            collate,
            loss,
            judge,
            score="score",
            rates={
                "model.heads": settings.head_rate,
                "weights": settings.head_rate,
            },
            after_backward=after_backward,
        ),
        settings.loop,
        folder,
        title=folder.name,
    )
    figures = judge(weighted, 0)
    return Trained(model, tokenizer, history, figures)


def _check(settings: MultitaskSettings, tasks: Mapping[str, TaskData]) -> None:
    """Raises ValueError for what only the data tell of a recipe."""
    for name, task in tasks.items():
        chosen = settings.tasks[name]
        if chosen.beside:
            texts = [example.text for example in tasks[chosen.beside].train]
            if [example.text for example in task.train] != texts:
                raise ValueError(f"{name} is not over the texts of {chosen.beside}")
        if chosen.kept and task.kind is not TaskKind.PAIRS:
            raise ValueError(f"{name}: only pairs can be kept, not taught")
        if chosen.kept and not settings.keep_vector:
            raise ValueError(f"{name}: what is kept needs a weight, keep_vector")


def _limit(settings: MultitaskSettings, name: str) -> int:
    return settings.tasks[settings.tasks[name].beside or name].limit


def _steps(settings: MultitaskSettings, encoded: Mapping[str, EncodedTask]) -> int:
    steps = sum(len(_epoch(settings, encoded, epoch)) for epoch in range(settings.loop.epochs))
    return min(steps, settings.loop.max_steps) if settings.loop.max_steps else steps


def _epoch(
    settings: MultitaskSettings, encoded: Mapping[str, EncodedTask], epoch: int
) -> list[tuple[str, list[int]]]:
    """Batches of all tasks in one order; each is of one task."""
    # Only an order that can be repeated is wanted of this generator.
    random = Random(f"{settings.loop.seed}/{epoch}")  # noqa: S311
    mixed: list[tuple[str, list[int]]] = []
    for name, task in encoded.items():
        if settings.tasks[name].beside:
            continue
        repeat = settings.tasks[name].repeat
        for turn in range(ceil(repeat)):
            batches = token_batches(
                task.lengths,
                settings.token_budget,
                seed=settings.loop.seed,
                epoch=epoch * 100 + turn,
            )
            share = min(1.0, repeat - turn)
            mixed.extend((name, batch) for batch in batches[: max(1, round(share * len(batches)))])
    random.shuffle(mixed)
    return mixed


def _described(config: Any) -> dict[str, Any]:
    """An encoder's configuration without where it was read from."""
    return {name: value for name, value in config.to_dict().items() if name[0] != "_"}


def _new_model(
    settings: MultitaskSettings, encoder: str, tasks: Mapping[str, TaskData], *, steps: int
) -> QueryModel:
    heads = tuple(
        HeadSpec(
            name=task.head,
            kind=task.kind,
            labels=task.labels,
            ngram_buckets=settings.tasks[name].ngram_buckets,
            convolved=settings.tasks[name].convolved,
            window_buckets=settings.tasks[name].window_buckets,
        )
        for name, task in tasks.items()
        if task.kind is not TaskKind.PAIRS
    )
    opened = open_encoder(encoder)
    packaged = encoder == settings.encoder and settings.tuning is not Tuning.FULL
    spec = ModelSpec(
        base=encoder if packaged else "",
        encoder={} if packaged else _described(opened.config),
        heads=heads,
        tuning=settings.tuning,
        rank=settings.rank,
        word_places=settings.word_places,
        max_tokens=settings.max_tokens,
    )
    return QueryModel(spec, wrap(opened, settings.tuning, rank=settings.rank, steps=steps))
