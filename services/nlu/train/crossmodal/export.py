"""Exports dual encoders to ONNX: `python -m services.nlu.train.crossmodal.export` (`make models`).

Every `models/NAME/VERSION` with `picture.safetensors` gets `model.onnx`: `pixels` (batch, numbers)
to `picture_embedding` (batch, dimension), in full precision. What is up to date is left alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from services.nlu.pictures.embedded import PIXELS, VECTORS
from services.nlu.train.crossmodal.storage import NETWORK, WEIGHTS, load_picture_net
from shared.inference.onnx_files import OPSET, install, is_current, sha256, write_graph
from shared.inference.settings import REPOSITORY

FILE = "model.onnx"
RECIPE = 1
"""Raised when what is exported changes, so that older exports are made anew."""

MOST_DIFFERENCE = 1e-4
"""Largest difference to torch of any number of a vector."""


def export(folder: Path) -> float | None:
    """Makes the graph of one version and puts it into place.

    Args:
        folder: With the weights.

    Returns:
        Its largest difference to torch; None where it was up to date.

    Raises:
        ValueError: It strays too far from torch; what was there before stays.
    """
    made_of = {name: sha256(folder / name) for name in (WEIGHTS, NETWORK)}
    stamp = json.dumps({**made_of, "recipe": RECIPE, "opset": OPSET})
    if is_current(folder, stamp, [FILE]):
        return None
    import onnxruntime as ort
    import torch

    net = load_picture_net(folder)
    numbers = 3 * net.spec.width * net.spec.height
    examples = torch.rand((3, numbers), generator=torch.Generator().manual_seed(1)) * 2 - 1
    with TemporaryDirectory() as scratch:
        made = Path(scratch) / FILE
        write_graph(net, [examples], made, inputs=[PIXELS], outputs=[VECTORS], longest=None)
        runtime: Any = ort
        session = runtime.InferenceSession(str(made), providers=["CPUExecutionProvider"])
        ours = session.run([VECTORS], {PIXELS: examples.numpy()})[0]
        with torch.no_grad():
            away = float(np.abs(ours - net(examples).numpy()).max())
        if away > MOST_DIFFERENCE:
            raise ValueError(f"{folder}: {away:.2g} away from torch")
        install({FILE: made}, folder, stamp)
    return away


def main(arguments: Sequence[str] | None = None) -> int:
    """Exports every dual encoder of the repository; returns the exit code."""
    parser = argparse.ArgumentParser(prog="services.nlu.train.crossmodal.export")
    parser.add_argument("--repository", type=Path, default=REPOSITORY)
    given = parser.parse_args(arguments)
    for weights in sorted(given.repository.glob(f"*/*/{WEIGHTS}")):
        folder = weights.parent
        try:
            away = export(folder)
        except ValueError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        said = "up to date" if away is None else f"exported, {away:.1e} away from torch"
        sys.stderr.write(f"{folder.parent.name}/{folder.name}: {said}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
