"""How ONNX files come about and get into place: what every export of a model shares.

torch, onnx and the quantiser are imported inside the functions: services, which only read what was
made, need none of them.
"""

import contextlib
import hashlib
import io
import logging
import platform
import shutil
import warnings
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

OPSET = 18

STAMP = "export.json"
"""File beside a model that says what it was made of."""


def write_graph(
    module: Any,
    examples: Sequence[Any],
    path: Path,
    *,
    inputs: Sequence[str],
    outputs: Sequence[str],
    longest: int | None,
) -> None:
    """Traces a torch module into one ONNX file.

    Args:
        module: In evaluation mode; takes tensors (batch, tokens) and returns as many as `outputs`.
        examples: One tensor an input, of at least two rows and tokens, so that neither is taken for
            a constant.
        path: Of the file.
        inputs: Names of the inputs, all with the dimensions "batch" and "sequence", or only the
            first where `longest` is None.
        outputs: Names of the outputs.
        longest: Tokens of a row at most; None where all rows are as long as the examples'.
    """
    import torch

    dimensions = {0: torch.export.Dim("batch")}
    if longest is not None:
        dimensions[1] = torch.export.Dim("sequence", max=longest)
    # The exporter talks at length about what went well.
    with silent(), warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        exporter: Any = torch.onnx
        exporter.export(
            module,
            tuple(examples),
            str(path),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_shapes=tuple({**dimensions} for _ in examples),
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
        )


def quantise_dynamic(
    source: Path,
    target: Path,
    *,
    reduce_range: bool,
    nodes: Sequence[str] = (),
    operators: Sequence[str] = (),
) -> None:
    """Writes a graph with 8-bit weights, per channel; activations are quantised as they come.

    Args:
        source: The float32 graph.
        target: The file that is written.
        reduce_range: Seven bits instead: eight overflow, silently, on x86 without VNNI.
        nodes: Names of the nodes to quantise; all when empty.
        operators: Types of nodes to quantise; all that can be when empty.
    """
    from onnxruntime.quantization import (
        QuantType,
        quantize_dynamic,  # pyright: ignore[reportUnknownVariableType]
    )

    with silent():
        quantize_dynamic(
            source,
            target,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=reduce_range,
            nodes_to_quantize=list(nodes),
            op_types_to_quantize=list(operators) or None,
        )


def multiplies_bytes(
    machine: str = platform.machine(), cpuinfo: Path = Path("/proc/cpuinfo")
) -> bool:
    """Whether the processor sums products of bytes without overflow: weights may then use 8 bits.

    x86 without VNNI adds two products in 16 bits, which saturate; with VNNI, and on ARM, there are
    32. Where it cannot be told, the answer is False.
    """
    if machine.lower() in {"arm64", "aarch64"}:
        return True
    try:
        return "vnni" in cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def sha256(path: Path) -> str:
    """Returns the hexadecimal digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_current(folder: Path, stamp: str, files: Sequence[str], *, stamp_name: str = STAMP) -> bool:
    """Whether `folder` holds `files`, made of what `stamp` says."""
    made = folder / stamp_name
    there = all((folder / name).is_file() for name in (stamp_name, *files))
    return there and made.read_text(encoding="utf-8") == stamp


def install(
    files: Mapping[str, Path], folder: Path, stamp: str, *, stamp_name: str = STAMP
) -> None:
    """Puts files into a folder under their names, and the stamp when all are there.

    Each is renamed into place, so that a process that reads the old one never sees half of the new.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Without its stamp a folder that is left half done is made anew.
    (folder / stamp_name).unlink(missing_ok=True)
    for name, file in files.items():
        part = folder / f"{name}.part"
        shutil.copyfile(file, part)
        part.replace(folder / name)
    (folder / stamp_name).write_text(stamp, encoding="utf-8")


@contextlib.contextmanager
def silent() -> Generator[None]:
    """Errors alone are logged within: the libraries advise at length about what is meant."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
