"""Exports the attributions of the cross-encoder, from the cross-encoder's own weights.

Part of `python -m services.nlu.train.export`. In full precision on every machine: a derivative of
rounded numbers is none. What is up to date is left alone, without torch being loaded.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from tokenizers import Tokenizer

from services.nlu.learnt.attribution import WHOLE
from shared.inference.onnx_files import OPSET, install, is_current, sha256, write_graph
from shared.inference.settings import ATTRIBUTION_MODEL, CROSS_MODEL

RECIPE: Final = 2
"""Raised when what is exported changes, so that older exports are made anew."""
MOST_DIFFERENCE: Final = 1e-3
"""Largest difference to torch, in log-odds."""
FILES: Final = ("model.onnx", "tokenizer.json")
MASK: Final = "[MASK]"
_SOURCES: Final = ("weights.safetensors", "config.json", "tokenizer.json")
_PROBES: Final = (
    ("red running shoes", "Trail running shoes for women, red, size 38"),
    ("toner tn-2110", "Brother TN-2110 toner cartridge black. Laser toner"),
    ("4k monitor", "A quiet dishwasher"),
)


def export_attribution(repository: Path) -> float | None:
    """Writes `cross_en_attribution/1/model.onnx` where it is out of date.

    Returns:
        Largest difference to torch over a few pairs; None where nothing was to be done, which
        includes a repository without the cross-encoder.

    Raises:
        ValueError: The export strays too far from torch.
    """
    source, folder = repository / CROSS_MODEL / "1", repository / ATTRIBUTION_MODEL / "1"
    if not all((source / name).is_file() for name in _SOURCES):
        return None
    stamp = json.dumps(
        {name: sha256(source / name) for name in _SOURCES} | {"recipe": RECIPE, "opset": OPSET}
    )
    if is_current(folder, stamp, FILES):
        return None
    with TemporaryDirectory() as scratch:
        made = Path(scratch) / "model.onnx"
        away = _write(source, made)
        if away > MOST_DIFFERENCE:
            raise ValueError(f"{folder}: {away:.2g} away from torch")
        install({"model.onnx": made, "tokenizer.json": source / "tokenizer.json"}, folder, stamp)
    return away


def _write(source: Path, path: Path) -> float:
    import torch

    from services.nlu.train.attribution_graph import INPUTS, OUTPUTS, SlopeGraph, traced
    from services.nlu.train.storage import load_model

    model = load_model(source)
    tokenizer: Any = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.no_padding()
    graph = SlopeGraph(model, mask_id=tokenizer.token_to_id(MASK))
    rows = [tokenizer.encode(*pair) for pair in _PROBES]
    ids, kinds = _padded([row.ids for row in rows]), _padded([row.type_ids for row in rows])
    examples = (ids, kinds, np.full_like(ids, WHOLE // 3))
    tensors: Any = torch
    given = tuple(tensors.from_numpy(each) for each in examples)
    write_graph(
        traced(graph, given),
        given,
        path,
        inputs=INPUTS,
        outputs=OUTPUTS,
        longest=512,
    )
    import onnxruntime as ort

    session: Any = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    ours = session.run(list(OUTPUTS), dict(zip(INPUTS, examples, strict=True)))
    theirs: Any = graph(*given)
    return max(
        float(np.abs(mine - its.detach().numpy()).max())
        for mine, its in zip(ours, theirs, strict=True)
    )


def _padded(rows: list[list[int]]) -> np.ndarray[Any, np.dtype[np.int32]]:
    longest = max(map(len, rows))
    return np.array([[*row, *[0] * (longest - len(row))] for row in rows], dtype=np.int32)
