"""The folder of a dual encoder: what serving and export need, small enough to commit.

encoder.json          how pictures are prepared, and whose text vectors it takes
network.json          what the picture net is built from
picture.safetensors   its weights, float16; `make models` makes model.onnx of them
text.npz              weights of the projection of text vectors, float16, which numpy reads
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from safetensors import torch as safetensors

from services.nlu.pictures.embedded import DESCRIPTION, PROJECTION, EncoderFile
from services.nlu.pictures.preparation import Preparation
from services.nlu.train.crossmodal.network import NetworkSpec, PictureNet

_safetensors = cast("Any", safetensors)  # it leaves its types open

WEIGHTS = "picture.safetensors"
NETWORK = "network.json"


def save(
    net: PictureNet,
    layers: Mapping[str, Any],
    preparation: Preparation,
    text_model: str,
    folder: Path,
) -> None:
    """Writes a model.

    Args:
        net: The picture side.
        layers: Of the text side, by the names that `services.nlu.pictures.embedded` knows.
        preparation: Of pictures.
        text_model: Entry of the model repository whose vectors the text side takes.
        folder: Made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        name: value.half() if value.is_floating_point() else value
        for name, value in net.state_dict().items()
    }
    _safetensors.save_file(state, str(folder / WEIGHTS))
    arrays: dict[str, Any] = {name: layer.astype(np.float16) for name, layer in layers.items()}
    np.savez(folder / PROJECTION, **arrays)
    described = EncoderFile(preparation=preparation, text_model=text_model)
    (folder / DESCRIPTION).write_text(described.model_dump_json(indent=1))
    (folder / NETWORK).write_text(net.spec.model_dump_json(indent=1))


def load_picture_net(folder: Path) -> PictureNet:
    """Returns the picture side in evaluation mode.

    Raises:
        FileNotFoundError: The folder holds none.
    """
    spec = NetworkSpec.model_validate_json((folder / NETWORK).read_text())
    net = PictureNet(spec)
    state = _safetensors.load_file(str(folder / WEIGHTS))
    net.load_state_dict({name: _full(value) for name, value in state.items()})
    return net.eval()


def _full(value: torch.Tensor) -> torch.Tensor:
    return value.float() if value.is_floating_point() else value
