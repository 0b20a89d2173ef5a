"""Eight-bit forms of an exported query model: quantised as it runs, or by calibration.

The encoder is quantised: its matrices per output channel, and its table of words. Heads stay
float32: they are small, and they read what every layer's rounding adds up to.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from services.nlu.learnt.tokens import TokenRow
from services.nlu.train.encoded import inputs
from services.nlu.train.graph import ENCODER_WEIGHTS
from shared.inference.onnx_files import multiplies_bytes, quantise_dynamic, silent

_TABLE = "embeddings.word_embeddings.weight"
_PRODUCTS = ("MatMul", "Attention", "Gemm")
_CALIBRATION_BATCH = 8


class Precision(StrEnum):
    """How a graph computes."""

    FP32 = "fp32"
    """float32 in standard operators, for any runtime and for GPUs."""
    FP32_FUSED = "fp32-fused"
    """float32 with the fused operators of ONNX Runtime."""
    INT8 = "int8"
    """8-bit weights; each pass finds the range of its activations. Fused operators."""
    INT8_STATIC = "int8-static"
    """8-bit weights; the ranges of activations were measured on training texts."""


def quantise_as_it_runs(source: Path, target: Path) -> None:
    """Writes the dynamic int8 form of a graph.

    Args:
        source: A float32 graph, fused or not.
        target: The file that is written.
    """
    products, tables = encoder_nodes(_load(source))
    # Nodes named in vain would be none at all, and none means all.
    quantise_dynamic(
        source,
        target,
        reduce_range=not multiplies_bytes(),
        nodes=[*products, *tables],
        operators=[*_PRODUCTS, "Gather"],
    )


def quantise_by_calibration(source: Path, target: Path, rows: Sequence[TokenRow]) -> None:
    """Writes the static int8 form of a graph: pairs of Quantize and Dequantize round each product.

    Args:
        source: A float32 graph of standard operators.
        target: The file that is written.
        rows: Training texts on which the ranges of activations are measured.
    """
    from onnxruntime.quantization import (
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,  # pyright: ignore[reportUnknownVariableType]
    )
    from onnxruntime.quantization.calibrate import CalibrationDataReader

    names = {item.name for item in _load(source).graph.input}

    class Reader(CalibrationDataReader):
        """Gives the calibrator one batch after another."""

        def __init__(self) -> None:
            self._batches = calibration_batches(rows, names)

        def get_next(self) -> Any:
            """Returns the next batch by input, or None at the end."""
            return next(self._batches, None)

    products, tables = encoder_nodes(_load(source))
    reduce_range = not multiplies_bytes()
    with TemporaryDirectory() as scratch, silent():
        halfway = Path(scratch) / "products.onnx"
        quantize_static(
            source,
            halfway,
            Reader(),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=reduce_range,
            nodes_to_quantize=products,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={
                # The sum goes on in float32, as it does when quantised as it runs.
                "OpTypesToExcludeOutputQuantization": list(_PRODUCTS),
                # Single outliers would stretch the range of all.
                "CalibMovingAverage": True,
            },
        )
        # A table has no activations to calibrate, and pairs round it would unpack it in every pass.
        quantise_dynamic(
            halfway, target, reduce_range=reduce_range, nodes=tables, operators=["Gather"]
        )


def calibration_batches(
    rows: Sequence[TokenRow], names: set[str]
) -> Iterator[Mapping[str, NDArray[np.int32]]]:
    """Yields the inputs called `names` for batches of rows of like lengths."""
    order = sorted(rows, key=lambda row: len(row.ids))
    for start in range(0, len(order), _CALIBRATION_BATCH):
        batch = inputs(order[start : start + _CALIBRATION_BATCH])
        yield {
            name: value.numpy().astype(np.int32) for name, value in batch.items() if name in names
        }


def encoder_nodes(model: Any) -> tuple[list[str], list[str]]:
    """Returns the names of the encoder's products and of its look-ups of words.

    Encoders that are exported as they are don't name their matrices: there every product by a
    constant counts.

    Raises:
        ValueError: The graph has neither.
    """
    constants = {item.name for item in model.graph.initializer}
    own = {name for name in constants if f".{ENCODER_WEIGHTS}" in name} or constants
    products = [
        node.name
        for node in model.graph.node
        if node.op_type in _PRODUCTS and own.intersection(node.input)
    ]
    tables = [
        node.name
        for node in model.graph.node
        if node.op_type == "Gather" and node.input[0].endswith(_TABLE)
    ]
    if not products or not tables:
        raise ValueError("the graph holds no encoder that can be quantised")
    return products, tables


def _load(path: Path) -> Any:
    # The library's own annotations are incomplete.
    library: Any = onnx
    return library.load(path)
