"""The model as it is committed and as it is served: models/reason_NAME/VERSION.

`network.safetensors` holds the weights of the tokens that reasons are made of, at half precision,
and `config.json` their shape; of an adapted model of Hugging Face the folder `hugging_face` holds
both. `tokens.json` has the texts and the lexis. `model_fp32.onnx` and, of networks of our own,
`model.onnx` (8 bits) are made from them where they are missing or out of date.
"""

import copy
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import torch as safetensors
from transformers import AutoModelForCausalLM

from services.reason.train.export import (
    AnyCachedNetwork,
    CachedNetwork,
    gap_to_torch,
    write_graph,
)
from services.reason.train.lora import is_adapted
from services.reason.train.model import CONFIG, NetworkSettings, build_network
from services.reason.train.run import open_run
from services.reason.train.served import (
    ADAPTED,
    NETWORK,
    graphs_are_made,
    graphs_stamp,
    is_of_hugging_face,
    kept_ids,
    write_tokens,
)
from services.reason.wording.served import FULL_GRAPH, GRAPH, TOKENS
from shared.inference.onnx_files import install, multiplies_bytes, quantise_dynamic

_FILES: Any = safetensors
_LOADER: Any = AutoModelForCausalLM
_TORCH: Any = torch
MAX_GAP: Final = {"fp32": 1e-3, "int8": 1.5}
"""Largest difference of a logit to torch's that a graph may show."""
_ONE_FILE: Final = "1TB"
"""Weights are not cut into several files, so that one digest tells them."""
_TRACEABLE: Final = "eager"
"""The form of attention that is traced; others choose their kernels as they run."""


def package(run: Path, out: Path) -> None:
    """Writes what is served of a run's last epoch.

    Args:
        run: Folder of the run, of a network of our own or of an adapted model of Hugging Face.
        out: Folder of the model's version.
    """
    network, _, grammar = open_run(run)
    adapted = is_adapted(run)
    if adapted:
        network = network.merge_and_unload()
    kept = kept_ids(grammar)
    small = pruned(network, kept)
    out.mkdir(parents=True, exist_ok=True)
    # Of what another run left there nothing may stay.
    (out / NETWORK).unlink(missing_ok=True)
    shutil.rmtree(out / ADAPTED, ignore_errors=True)
    if adapted:
        small.half().save_pretrained(out / ADAPTED, max_shard_size=_ONE_FILE)
    else:
        _save_own(small, out)
    write_tokens(grammar, kept, out / TOKENS)


def _save_own(network: Any, out: Path) -> None:
    weights = {
        name: value.to(torch.float16).contiguous()
        for name, value in network.state_dict().items()
        if name != "lm_head.weight"  # the embedding's, once more
    }
    _FILES.save_file(weights, out / NETWORK)
    size = {**_size_of(network), "vocabulary": network.config.vocab_size}
    (out / CONFIG).write_text(json.dumps(size, indent=1) + "\n", encoding="utf-8")


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
    """Returns the network of a version, in evaluation mode."""
    if is_of_hugging_face(folder):
        loaded = _LOADER.from_pretrained(
            folder / ADAPTED, dtype=torch.float32, attn_implementation=_TRACEABLE
        )
        return loaded.eval()
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
        ValueError: A graph strays further than MAX_GAP allows, or the network keeps a cache that
            no graph of ours can take.
    """
    if graphs_are_made(folder):
        return {}
    network = open_package(folder)
    gaps: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        full, small = Path(scratch) / FULL_GRAPH, Path(scratch) / GRAPH
        if is_of_hugging_face(folder):
            files = write_graph(network, full, AnyCachedNetwork)
            made = {"fp32": full}
        else:
            files = [*write_graph(network, full, CachedNetwork), small]
            quantise_dynamic(full, small, reduce_range=not multiplies_bytes())
            made = {"fp32": full, "int8": small}
        for precision, path in made.items():
            gaps[precision] = gap_to_torch(network, path)
            if gaps[precision] > MAX_GAP[precision]:
                raise ValueError(f"{precision}: a logit is {gaps[precision]:.4f} off torch's")
        install({file.name: file for file in files}, folder, graphs_stamp(folder))
    return gaps


def pruned(network: Any, kept: Sequence[int]) -> Any:
    """Returns the network with some of its tokens, numbered anew in the order given."""
    config = copy.deepcopy(network.config)
    config.vocab_size = len(kept)
    for name in ("bos_token_id", "eos_token_id", "pad_token_id"):
        setattr(config, name, None)
    tokens = [network.get_input_embeddings(), network.get_output_embeddings()]
    cut = {id(weight) for module in tokens for weight in module.parameters()}
    chosen = _TORCH.tensor(list(kept))
    weights = {
        name: value.detach()[chosen] if id(value) in cut else value.detach()
        for name, value in network.state_dict(keep_vars=True).items()
    }
    small = _LOADER.from_config(config)
    small.load_state_dict(weights)
    return small.eval()
