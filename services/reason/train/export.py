"""The network as one ONNX graph with its cache: prefixes and single tokens go through the same.

Inputs: `input_ids` (batch, tokens) int64; `mask` (batch, past + tokens) int64, 0 for padding, which
stands before a prefix; `past` (layers, 2, batch, heads, past, head width) float32, past 0 at first.
Outputs: `logits` (batch, vocabulary) of the last token, and `present`, the next `past`.
"""

import contextlib
import io
import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from transformers import DynamicCache

from services.reason.train.torch_engine import TorchEngine
from services.reason.wording.onnx_engine import OnnxEngine
from shared.inference.onnx_files import OPSET, silent

_TORCH: Any = torch
_STEPS: Final = 6
MAX_BYTES: Final = 1_900_000_000
"""Weights of a graph in one file; protobuf ends at 2 GiB."""


class CachedNetwork(torch.nn.Module):
    """A GPT-2 of transformers, written out with the cache as one tensor.

    Args:
        network: `GPT2LMHeadModel` in evaluation mode.
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.body: Any = network.transformer
        self.head: Any = network.lm_head
        self.heads: int = network.config.n_head

    def forward(self, input_ids: Any, mask: Any, past: Any) -> Any:
        """Returns logits of the last token and the grown cache; shapes as in the module."""
        batch, tokens = input_ids.shape
        positions = (mask.cumsum(1) - 1).clamp(min=0)[:, past.shape[4] :]
        hidden = self.body.wte(input_ids) + self.body.wpe(positions)
        # A token sees what came before it, and no padding.
        order = _TORCH.arange(mask.shape[1])
        before = order[None, :] <= order[past.shape[4] :][:, None]
        seen = before[None, None] & (mask[:, None, None, :] > 0)
        bias = _TORCH.where(seen, 0.0, -1e9)
        present: list[Any] = []
        for index, block in enumerate(self.body.h):
            normed = block.ln_1(hidden)
            query, key, value = block.attn.c_attn(normed).chunk(3, dim=-1)
            query, key, value = (
                part.reshape(batch, tokens, self.heads, -1).transpose(1, 2)
                for part in (query, key, value)
            )
            key = _TORCH.cat([past[index, 0], key], dim=2)
            value = _TORCH.cat([past[index, 1], value], dim=2)
            present.append(_TORCH.stack([key, value]))
            scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5 + bias
            mixed = (scores.softmax(-1) @ value).transpose(1, 2).reshape(batch, tokens, -1)
            hidden = hidden + block.attn.c_proj(mixed)
            hidden = hidden + block.mlp(block.ln_2(hidden))
        logits = self.head(self.body.ln_f(hidden[:, -1]))
        return logits, _TORCH.stack(present)


class AnyCachedNetwork(torch.nn.Module):
    """Any causal model of transformers, with its cache as one tensor.

    Args:
        network: In evaluation mode, as `shape_of_cache` takes it.
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network: Any = network

    def forward(self, input_ids: Any, mask: Any, past: Any) -> Any:
        """Returns logits of the last token and the grown cache; shapes as in the module."""
        cache: Any = DynamicCache()
        for layer in range(past.shape[0]):
            cache.update(past[layer, 0], past[layer, 1], layer)
        out = self.network(
            input_ids=input_ids,
            attention_mask=mask,
            position_ids=(mask.cumsum(1) - 1).clamp(min=0)[:, past.shape[4] :],
            cache=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        present = [_TORCH.stack([layer.keys, layer.values]) for layer in out.cache.layers]
        return out.logits[:, -1], _TORCH.stack(present)


def shape_of_cache(network: Any) -> tuple[int, int, int]:
    """Returns layers, heads of keys and their width.

    Raises:
        ValueError: The layers keep something else than keys and values of one shape.
    """
    with torch.no_grad():
        cache: Any = network(input_ids=_TORCH.ones(1, 1, dtype=_TORCH.int64), use_cache=True).cache
    shapes = {
        tuple(getattr(layer, part).shape) for layer in cache.layers for part in ("keys", "values")
    }
    if len(shapes) != 1:
        kind = network.config.model_type
        raise ValueError(f"{kind}: its layers do not all keep keys and values of one shape")
    _, heads, _, width = shapes.pop()
    return len(cache.layers), int(heads), int(width)


def write_graph(
    network: Any, path: Path, cached: type[torch.nn.Module] = CachedNetwork
) -> list[Path]:
    """Traces a network into a graph of float32.

    Args:
        network: In evaluation mode.
        path: Of the graph.
        cached: What gives it its cache as one tensor; our own networks are written out, which takes
            a tenth from a single step.

    Returns:
        The files: the graph, and beside it its weights where one file cannot hold them.

    Raises:
        ValueError: Its cache has another form, see `shape_of_cache`.
    """
    layers, heads, width = shape_of_cache(network)
    examples = (
        _TORCH.ones(2, 3, dtype=_TORCH.int64),
        _TORCH.ones(2, 5, dtype=_TORCH.int64),
        _TORCH.zeros(layers, 2, 2, heads, 2, width),
    )
    any_size: Any = torch.export.Dim.DYNAMIC
    rows = {0: any_size, 1: any_size}
    apart = sum(weight.numel() * 4 for weight in network.parameters()) > MAX_BYTES
    with silent(), warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        exporter: Any = torch.onnx
        exporter.export(
            cached(network).eval(),
            examples,
            str(path),
            input_names=["input_ids", "mask", "past"],
            output_names=["logits", "present"],
            dynamic_shapes=(rows, rows, {2: any_size, 4: any_size}),
            opset_version=OPSET,
            dynamo=True,
            external_data=apart,
        )
    return [path, path.with_name(f"{path.name}.data")] if apart else [path]


def gap_to_torch(network: Any, path: Path) -> float:
    """Returns the largest difference of logits over a padded batch that loses a row on the way."""
    rng = np.random.default_rng(0)
    top = network.config.vocab_size
    prefixes = rng.integers(1, top, (4, 6))
    prefixes[1, :2] = 0
    ours, theirs = OnnxEngine(path), TorchEngine(network)
    gap = float(np.abs(ours.start(prefixes) - theirs.start(prefixes)).max())
    keep = np.arange(4)
    for step in range(_STEPS):
        keep = np.delete(np.arange(len(keep)), 0) if step == _STEPS // 2 else np.arange(len(keep))
        ids = rng.integers(1, top, len(keep))
        gap = max(gap, float(np.abs(ours.step(ids, keep) - theirs.step(ids, keep)).max()))
    return gap
