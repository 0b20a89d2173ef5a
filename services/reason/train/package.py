"""The model as it is committed and as it is served: models/reason_NAME/VERSION.

`network.safetensors` holds the weights of the tokens that reasons are made of, at half precision;
`config.json` their shape; `tokens.json` the texts and the lexis. `model.onnx` (8 bits) and
`model_fp32.onnx` are made from them where they are missing or out of date.
"""

import copy
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import torch as safetensors
from transformers import GPT2LMHeadModel

from services.reason.train.export import gap_to_torch, write_graph
from services.reason.train.lora import is_adapted, merged_model
from services.reason.train.model import CONFIG, NetworkSettings, build_network
from services.reason.train.run import open_run
from services.reason.train.served import (
    NETWORK,
    graphs_are_made,
    graphs_stamp,
    kept_ids,
    write_tokens,
)
from services.reason.wording.served import FULL_GRAPH, GRAPH, TOKENS
from shared.inference.onnx_files import install, multiplies_bytes, quantise_dynamic

_FILES: Any = safetensors
MAX_GAP: Final = {"fp32": 1e-3, "int8": 1.5}
"""Largest difference of a logit to torch's that a graph may show."""


def package(run: Path, out: Path) -> None:
    """Writes what is committed of a run's last epoch.

    Args:
        run: Folder of the run, of a network of our own or of an adapted GPT-2.
        out: Folder of the model's version.

    Raises:
        ValueError: The run adapted a model of another kind.
    """
    network, _, grammar = open_run(run)
    if is_adapted(run):
        network = merged_model(run)
    kept = kept_ids(grammar)
    small = pruned(network, kept)
    out.mkdir(parents=True, exist_ok=True)
    weights = {
        name: value.to(torch.float16).contiguous()
        for name, value in small.state_dict().items()
        if name != "lm_head.weight"  # the embedding's, once more
    }
    _FILES.save_file(weights, out / NETWORK)
    size = {**_size_of(network), "vocabulary": len(kept)}
    (out / CONFIG).write_text(json.dumps(size, indent=1) + "\n", encoding="utf-8")
    write_tokens(grammar, kept, out / TOKENS)


def _size_of(network: Any) -> dict[str, Any]:
    config = network.config
    return NetworkSettings(
        layers=config.n_layer,
        width=config.n_embd,
        heads=config.n_head,
        positions=config.n_positions,
        dropout=config.resid_pdrop,
    ).model_dump()


def open_package(folder: Path) -> Any:
    """Returns the committed network, in evaluation mode."""
    size = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    vocabulary = size.pop("vocabulary")
    network = build_network(NetworkSettings(**size), vocabulary)
    weights = {name: value.float() for name, value in _FILES.load_file(folder / NETWORK).items()}
    weights["lm_head.weight"] = weights["transformer.wte.weight"]
    network.load_state_dict(weights)
    return network.eval()


def make_graphs(folder: Path) -> dict[str, float]:
    """Writes the graphs of a version, unless they are up to date.

    Args:
        folder: Of the version, with what `package` wrote.

    Returns:
        The largest difference of a logit to torch's, by precision; nothing when up to date.

    Raises:
        ValueError: A graph strays further than MAX_GAP allows.
    """
    if graphs_are_made(folder):
        return {}
    network = open_package(folder)
    gaps: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        full, small = Path(scratch) / FULL_GRAPH, Path(scratch) / GRAPH
        write_graph(network, full)
        quantise_dynamic(full, small, reduce_range=not multiplies_bytes())
        for precision, path in (("fp32", full), ("int8", small)):
            gaps[precision] = gap_to_torch(network, path)
            if gaps[precision] > MAX_GAP[precision]:
                raise ValueError(f"{precision}: a logit is {gaps[precision]:.4f} off torch's")
        install({GRAPH: small, FULL_GRAPH: full}, folder, graphs_stamp(folder))
    return gaps


def pruned(network: Any, kept: Sequence[int]) -> Any:
    """Returns the network with some of its tokens, numbered anew in the order given."""
    config = copy.deepcopy(network.config)
    config.vocab_size = len(kept)
    small: Any = GPT2LMHeadModel(config)
    weights = dict(network.state_dict())
    for name in ("transformer.wte.weight", "lm_head.weight"):
        weights[name] = weights[name][list(kept)]
    small.load_state_dict(weights)
    return small.eval()
