"""Makes every smaller form of a model: quantised, pruned, distilled.

What is in the run's folder already, models, graphs and figures, is not made again.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import torch
from pydantic import BaseModel, Field

from services.nlu.learnt.tokens import ModelTokenizer, TokenRow
from services.nlu.train.batching import token_batches
from services.nlu.train.distil import DistilSettings, Pupil, distil, make_student
from services.nlu.train.encoded import encode_task
from services.nlu.train.examples import TaskData, TaskKind
from services.nlu.train.export import write_model
from services.nlu.train.frontier import Step
from services.nlu.train.losses import task_losses
from services.nlu.train.measure import (
    GraphModelReader,
    Read,
    measure_latency,
    measure_quality,
    sample_dev,
)
from services.nlu.train.model import QueryModel
from services.nlu.train.parity import torch_outputs
from services.nlu.train.prune import (
    choose_heads,
    head_importance,
    keep_heads,
    keep_layers,
    layer_damage,
)
from services.nlu.train.quantise import Precision, quantise_as_it_runs, quantise_by_calibration
from services.nlu.train.storage import load_model, save_model
from services.nlu.train.tasks import load_task

TRAINED = "torch fp32"
"""Name of the step that losses are counted from: the model as it was trained."""

_TIMED_TEXTS = 64
_LOOKED_AT = 200
"""Dev examples of a task after an epoch of teaching; the table has its own."""


class CompressSettings(BaseModel):
    """A recipe of compression."""

    model: str
    """Name and version in the model repository, such as "query_zh/1"."""
    tasks: tuple[str, ...] = Field(min_length=1)
    """Names of `tasks.TASKS`; texts of the first are what latency is measured on."""
    dev_examples: int = Field(default=1_000, ge=0)
    """Of each task's dev, for the table; 0 takes all."""
    whole_dev: bool = True
    """Whether the trained and the chosen form are measured on all of dev as well."""
    threads: int = Field(default=2, ge=1)
    calibration_texts: int = Field(default=128, ge=1)
    taught_texts: int = Field(default=4_000, ge=1)
    """Training texts of each task that the student, and what was pruned, learns from."""
    student_layers: tuple[int, ...] = ()
    """Layers that the student begins as; empty makes none."""
    student_width: int = Field(default=0, ge=0)
    distil: DistilSettings = DistilSettings()
    pruned_heads: float = Field(default=0.0, ge=0, lt=1)
    """Share of the attention heads that goes."""
    pruned_layers: int = Field(default=0, ge=0)
    """Layers that go; with no heads either, nothing is pruned."""
    importance_texts: int = Field(default=256, ge=1)
    """Labelled training texts of each task that heads and layers are judged by."""
    recover: DistilSettings = DistilSettings()


class SmallerForms:
    """The forms of one model, each made and measured once.

    Args:
        settings: The recipe.
        source: Folder of the model.
        folder: Where forms and figures are kept.
        data: Folder of the data sets.
    """

    def __init__(self, settings: CompressSettings, source: Path, folder: Path, data: Path) -> None:
        self._settings, self._source, self._folder = settings, source, folder
        self._model = load_model(source)
        self._tokenizer = ModelTokenizer(
            source / "tokenizer.json",
            self._model.spec.max_tokens,
            word_places=self._model.spec.word_places,
        )
        self.whole_tasks = [load_task(name, data) for name in settings.tasks]
        self.tasks = [sample_dev(task, settings.dev_examples) for task in self.whole_tasks]
        self._forms: dict[str, tuple[QueryModel, Path | None]] = {}
        self._taught: list[TokenRow] = []
        self._width = int(self._model.encoder.config.hidden_size)

    def make(self) -> list[str]:
        """Makes every form; returns their names in the order of the table."""
        settings = self._settings
        self._forms[TRAINED] = (self._model, None)
        plain = self._export(Precision.FP32, self._model, Precision.FP32)
        self._export_both("", self._model)
        self._keep(
            Precision.INT8_STATIC,
            self._model,
            lambda path: quantise_by_calibration(plain, path, self._calibration()),
        )
        if settings.pruned_heads or settings.pruned_layers:
            model = self._smaller("pruned", self._pruned, settings.recover)
            self._export_both("pruned", model)
        if settings.student_layers:
            model = self._smaller("student", self._student, settings.distil)
            self._export_both("student", model)
        return list(self._forms)

    def measured(self, names: Sequence[str]) -> list[Step]:
        """Returns the table of the forms."""
        qualities = {name: self.quality(name, self.reader(name), self.tasks) for name in names}
        texts = [example.text for example in sample_dev(self.tasks[0], _TIMED_TEXTS).dev]
        readers: dict[str, Read] = {}
        for name in names:
            reader = self.reader(name)
            readers[name] = reader.read if isinstance(reader, GraphModelReader) else self._read
        latencies = measure_latency(readers, self._tokenizer.encode(texts))
        return [
            Step(
                name=name,
                megabytes=self._size(name),
                milliseconds=latencies[name],
                quality=qualities[name],
                servable=_servable(name),
            )
            for name in names
        ]

    def reader(self, name: str) -> Any:
        """Returns what reads texts by a form."""
        model, path = self._forms[name]
        if path is None:
            return model
        return GraphModelReader(path, model, threads=self._settings.threads)

    def quality(self, name: str, reader: Any, tasks: Sequence[TaskData]) -> Mapping[str, float]:
        """Returns the figures of a form, from the run's folder when they are there."""
        path = self._folder / "quality.json"
        known: dict[str, dict[str, float]] = json.loads(path.read_text()) if path.exists() else {}
        if name not in known:
            known[name] = measure_quality(reader, self._tokenizer, tasks)
            path.write_text(json.dumps(known, indent=1))
            sys.stderr.write(f"{name}: {_shown(known[name])}\n")
        return known[name]

    def taught(self) -> list[TokenRow]:
        """Returns training texts of all tasks, each once."""
        if not self._taught:
            texts: dict[str, None] = {}
            for task in self.whole_tasks:
                drawn = _sample(task, self._settings.taught_texts)
                texts.update(dict.fromkeys(example.text for example in drawn.train))
            self._taught = self._tokenizer.encode(list(texts))
        return self._taught

    def _export_both(self, kind: str, model: QueryModel) -> None:
        name = kind or Precision.FP32_FUSED
        fused = self._export(name, model, Precision.FP32_FUSED)
        self._keep(
            f"{kind}, int8" if kind else Precision.INT8,
            model,
            lambda path: quantise_as_it_runs(fused, path),
        )

    def _export(self, name: str, model: QueryModel, precision: Precision) -> Path:
        return self._keep(name, model, lambda path: write_model(model, path, precision))

    def _keep(self, name: str, model: QueryModel, make: Callable[[Path], None]) -> Path:
        path = self._folder / f"{name.replace(', ', '-')}.onnx"
        if not path.is_file():
            part = path.with_suffix(".part")
            make(part)
            part.replace(path)
        self._forms[name] = (model, path)
        return path

    def _calibration(self) -> list[TokenRow]:
        rows = self.taught()
        count = min(self._settings.calibration_texts, len(rows))
        return Random(17).sample(rows, count)  # noqa: S311 # to be repeated

    def _smaller(
        self,
        name: str,
        make: Callable[[], Pupil],
        settings: DistilSettings,
    ) -> QueryModel:
        """Returns a smaller model after it was taught by the trained one."""
        saved = self._folder / name
        if not (saved / "labels.json").is_file():
            pupil = make()
            looked_at = [sample_dev(task, _LOOKED_AT) for task in self.tasks]
            distil(
                self._model,
                pupil,
                self.taught(),
                settings,
                self._folder / f"{name}-run",
                evaluate=lambda item: measure_quality(item, self._tokenizer, looked_at),
            )
            self._model.requires_grad_(True)
            save_model(pupil.student, saved, self._source / "tokenizer.json")
        return load_model(saved)

    def _student(self) -> Pupil:
        layers = self._settings.student_layers
        student = make_student(self._model, layers, width=self._settings.student_width)
        return Pupil(student, layers, self._width)

    def _pruned(self) -> Pupil:
        settings = self._settings
        batches = self._labelled()
        model, layers = self._model, list(range(len(self._model.encoder.encoder.layer)))
        for _ in range(settings.pruned_layers):
            # One at a time: what a layer is worth hangs on which others are left.
            damage = layer_damage(model, batches, self._loss)
            gone = damage.index(min(damage))
            model = keep_layers(model, [at for at in range(len(layers)) if at != gone])
            del layers[gone]
        if settings.pruned_heads:
            importance = head_importance(model, batches, self._loss)
            model = keep_heads(model, choose_heads(importance, settings.pruned_heads))
        return Pupil(model, layers, self._width)

    def _labelled(self) -> list[tuple[TaskData, Mapping[str, Any]]]:
        batches: list[tuple[TaskData, Mapping[str, Any]]] = []
        for task in self.whole_tasks:
            if task.kind is TaskKind.PAIRS:
                continue
            encoded = encode_task(_sample(task, self._settings.importance_texts), self._tokenizer)
            cut = token_batches(encoded.lengths, 1024, seed=17, epoch=0)
            batches += [(task, encoded.collate(positions)) for positions in cut]
        return batches

    def _loss(self, model: QueryModel, batch: Any) -> torch.Tensor:
        task, tensors = batch
        return task_losses(model, {task.head: task}, {task.head: tensors})[task.head]

    def _read(self, rows: Sequence[TokenRow]) -> Any:
        return torch_outputs(self._model, rows)

    def _size(self, name: str) -> float:
        model, path = self._forms[name]
        if path is not None:
            return path.stat().st_size / 1e6
        return sum(item.numel() * item.element_size() for item in model.parameters()) / 1e6


def _servable(name: str) -> bool:
    # torch does not serve, and calibration needs texts that no checkout holds.
    return name not in {TRAINED, Precision.INT8_STATIC}


def _sample(task: TaskData, count: int) -> TaskData:
    if len(task.train) <= count:
        return task
    drawn = Random(17).sample(range(len(task.train)), count)  # noqa: S311 # to be repeated
    return replace(task, train=[task.train[at] for at in drawn])


def _shown(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in figures.items())
