"""The folder of a model: all that serving and further training need, small enough to commit.

config.json          what it is built from (`ModelSpec`)
labels.json          what its outputs mean
tokenizer.json       how texts become ids
weights.safetensors  float16; large matrices in 8 bits a number with a scale a row, tables of
                     n-grams in 8-bit floats; without the base encoder's own weights where a
                     package carries them
"""

import json
import shutil
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import torch as safetensors
from transformers import AutoConfig, AutoModel

from services.nlu.train.bigram_embedding import fit_bigrams
from services.nlu.train.examples import bio_labels
from services.nlu.train.model import EMBEDDING, ModelSpec, QueryModel, TokenHead
from services.nlu.train.prune import HEADS_BY_LAYER, fit_heads
from services.nlu.train.tuning import Tuning, encoder_folder, merge, open_encoder, wrap

_safetensors = cast("Any", safetensors)  # it leaves its types open

WEIGHTS = "weights.safetensors"

TABLES = (".bigrams.weight", ".ngrams.weights.weight", ".windows.weights.weight")
"""Ends of the names of tables whose rows are many and add up: a byte a number is enough."""

LARGE = 65_536
"""Numbers from which on a matrix is kept in 8 bits: what is served is rounded by rows as well."""

MOST = 127
"""Of the integers that a row is rounded to."""

SCALE = ".scale"
"""After a table's name: what its numbers are to be multiplied with."""

LARGEST = 448.0
"""Of the 8-bit floats with 4 bits of exponent (Micikevicius et al., 2022)."""


def save_model(model: QueryModel, folder: Path, tokenizer: Path) -> None:
    """Writes a model.

    Args:
        model: As it was trained; low-rank tuning not merged.
        folder: Made if it is not there.
        tokenizer: Path of its `tokenizer.json`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = model.state_dict()
    if model.spec.base:
        trained = {name for name, item in model.named_parameters() if item.requires_grad}
        state = {name: item for name, item in state.items() if name in trained}
    _safetensors.save_file(_packed(state), str(folder / WEIGHTS))
    (folder / "config.json").write_text(model.spec.model_dump_json(indent=1, exclude_defaults=True))
    (folder / "labels.json").write_text(
        json.dumps(describe_outputs(model), ensure_ascii=False, indent=1)
    )
    if tokenizer.resolve() != (folder / "tokenizer.json").resolve():
        shutil.copyfile(tokenizer, folder / "tokenizer.json")


def is_model(folder: Path) -> bool:
    """Whether a folder holds a model, and not an encoder alone."""
    return (folder / WEIGHTS).is_file()


def load_model(folder: Path, *, attention: str = "sdpa") -> QueryModel:
    """Returns a model in evaluation mode, with low-rank tuning merged into its encoder.

    Args:
        folder: As `save_model` wrote it.
        attention: Implementation of attention; "eager" where the graph is exported.

    Raises:
        FileNotFoundError: The folder holds no model.
    """
    spec = ModelSpec.model_validate_json((folder / "config.json").read_text())
    encoder: Any
    if spec.base:
        encoder = open_encoder(spec.base, attention=attention)
        encoder = wrap(encoder, Tuning(spec.tuning), rank=spec.rank)
    else:
        loader: Any = AutoModel
        configs: Any = AutoConfig
        config = configs.for_model(**spec.encoder)
        encoder = fit_bigrams(loader.from_config(config, attn_implementation=attention))
        if heads := spec.encoder.get(HEADS_BY_LAYER):
            fit_heads(encoder, heads)
    model = QueryModel(spec, encoder)
    weights = _unpacked(_safetensors.load_file(str(folder / WEIGHTS)))
    fit: Any = model.load_state_dict(weights, strict=False)
    missing: list[str] = fit.missing_keys
    unknown: list[str] = fit.unexpected_keys
    lost = [name for name in missing if not spec.base and "position_ids" not in name]
    if unknown or lost:
        raise ValueError(f"{folder}: weights do not fit: {[*unknown, *lost][:5]}")
    model.encoder = merge(model.encoder)
    return model.eval()


def _packed(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    packed: dict[str, torch.Tensor] = {}
    for name, item in state.items():
        value = item.detach().float().contiguous()
        if name.endswith(TABLES):
            scale = (value.abs().max() / LARGEST).clamp(min=1e-12).reshape(1)
            packed[name] = (value / scale).to(torch.float8_e4m3fn)
        elif value.ndim > 1 and value.numel() >= LARGE:
            highest = value.abs().amax(dim=tuple(range(1, value.ndim)), keepdim=True)
            scale = (highest / MOST).clamp(min=1e-12)
            packed[name] = (value / scale).round().to(torch.int8)
        else:
            packed[name] = value.to(torch.float16)
            continue
        packed[name + SCALE] = scale
    return packed


def _unpacked(packed: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {
        name: item.float() * packed.get(name + SCALE, 1.0)
        for name, item in packed.items()
        if not name.endswith(SCALE)
    }


def tokenizer_of(encoder: str) -> Path:
    """Returns the path of the tokenizer that an encoder brings along."""
    return Path(encoder_folder(encoder)) / "tokenizer.json"


def describe_outputs(model: QueryModel) -> dict[str, dict[str, Any]]:
    """Returns what labels.json holds: per output its kind, its labels, and how they are read."""
    described: dict[str, dict[str, Any]] = {}
    for spec in model.spec.heads:
        head = model.heads[spec.name]
        entry: dict[str, Any] = {"kind": str(spec.kind)}
        if isinstance(head, TokenHead):
            with torch.no_grad():
                transitions, start, end = head.crf.scores()
            entry |= {
                "labels": bio_labels(spec.labels),
                "transitions": _rounded(transitions),
                "start": _rounded(start),
                "end": _rounded(end),
            }
        else:
            entry |= {"labels": list(spec.labels), "temperature": 1.0}
        described[spec.name] = entry
    width = int(model.encoder.config.hidden_size)
    described[EMBEDDING] = {"kind": "vector", "dimension": width}
    return described


def _rounded(values: torch.Tensor) -> Any:
    return [
        _rounded(item) if item.ndim else round(float(item), 4)
        for item in values.detach().float().cpu()
    ]
