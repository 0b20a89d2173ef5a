"""Structured pruning: attention heads and whole layers that do little are taken out for good.

Heads are ranked by the gradient of a mask over them (Michel, Levy and Neubig, 2019), layers by the
loss without them. What is left is a smaller dense model, which any runtime runs faster.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch

from services.nlu.train.model import ModelSpec, QueryModel

HEADS_BY_LAYER = "heads_by_layer"
"""Entry of an encoder's configuration: heads that each layer has left."""

Loss = Callable[[QueryModel, Any], torch.Tensor]
"""Model and batch to a scalar."""


def head_importance(model: QueryModel, batches: Sequence[Any], loss: Loss) -> torch.Tensor:
    """Returns how much the loss hangs on each head, (layers, heads), each layer at unit length.

    Args:
        model: In evaluation mode.
        batches: Labelled batches, of training texts.
        loss: Scalar loss of a batch.
    """
    layers = model.encoder.encoder.layer
    count = layers[0].attention.self.num_attention_heads
    gates = [torch.ones(count, requires_grad=True) for _ in layers]
    total = torch.zeros(len(layers), count)
    model.requires_grad_(False)
    with _gated(layers, gates):
        for batch in batches:
            for at, gradient in enumerate(torch.autograd.grad(loss(model, batch), gates)):
                total[at] += gradient.abs()
    model.requires_grad_(True)
    # Gradients differ by layer for reasons of depth alone, as the paper finds.
    lengths = (total**2).sum(1, keepdim=True).sqrt()
    return total / lengths.clamp(min=1e-12)


def layer_damage(model: QueryModel, batches: Sequence[Any], loss: Loss) -> list[float]:
    """Returns the mean loss of the model without each of its layers.

    Args:
        model: In evaluation mode.
        batches: Labelled batches, of training texts.
        loss: Scalar loss of a batch.
    """
    damage: list[float] = []
    count = len(model.encoder.encoder.layer)
    for left_out in range(count):
        shorter = keep_layers(model, [at for at in range(count) if at != left_out])
        with torch.no_grad():
            losses = [float(loss(shorter, batch)) for batch in batches]
        damage.append(sum(losses) / len(losses))
    return damage


def keep_layers(model: QueryModel, kept: Sequence[int]) -> QueryModel:
    """Returns a copy of a model with some of its encoder's layers, in their order.

    Raises:
        ValueError: None would be left, or one is not there.
    """
    count = len(model.encoder.encoder.layer)
    if not kept or not set(kept) <= set(range(count)):
        raise ValueError(f"layers {tuple(kept)} of {count}")
    smaller = deepcopy(model)
    layers = smaller.encoder.encoder.layer
    smaller.encoder.encoder.layer = torch.nn.ModuleList([layers[at] for at in sorted(kept)])
    smaller.encoder.config.num_hidden_layers = len(kept)
    return _described(smaller)


def keep_heads(model: QueryModel, kept: Sequence[Sequence[int]]) -> QueryModel:
    """Returns a copy of a model with some of its attention heads.

    Args:
        model: Its layers may have lost heads before.
        kept: Per layer the heads that stay; at least one.

    Raises:
        ValueError: A layer would be left without a head, or a head is not there.
    """
    smaller = deepcopy(model)
    layers = smaller.encoder.encoder.layer
    for at, (layer, heads) in enumerate(zip(layers, kept, strict=True)):
        if not heads or not set(heads) <= set(range(layer.attention.self.num_attention_heads)):
            raise ValueError(f"layer {at}: heads {tuple(heads)}")
        _slice_heads(layer, sorted(heads))
    return _described(smaller)


def choose_heads(importance: torch.Tensor, share: float) -> list[list[int]]:
    """Returns the heads of each layer that stay when the least important are taken out.

    Args:
        importance: (layers, heads).
        share: Of all heads that goes; every layer keeps its best one.
    """
    ranked = importance.clone()
    # What is infinitely important is never taken.
    ranked[torch.arange(len(ranked)), importance.argmax(1)] = torch.inf
    gone = int(share * ranked.numel())
    order = ranked.flatten().argsort()[:gone]
    left = torch.ones(ranked.numel(), dtype=torch.bool)
    left[order[torch.isfinite(ranked.flatten()[order])]] = False
    return [[at for at, stays in enumerate(row) if stays] for row in left.view_as(ranked)]


def fit_heads(encoder: Any, heads_by_layer: Sequence[int]) -> None:
    """Gives a new encoder the shapes of a pruned one, so that its weights can be loaded."""
    for layer, count in zip(encoder.encoder.layer, heads_by_layer, strict=True):
        _slice_heads(layer, list(range(count)))


def _slice_heads(layer: Any, heads: Sequence[int]) -> None:
    attention, output = layer.attention.self, layer.attention.output
    width = attention.attention_head_size
    rows = torch.cat([torch.arange(head * width, (head + 1) * width) for head in heads])
    for name in ("query", "key", "value"):
        whole = getattr(attention, name)
        setattr(attention, name, _linear(whole.weight[rows], whole.bias[rows]))
    output.dense = _linear(output.dense.weight[:, rows], output.dense.bias)
    attention.num_attention_heads = len(heads)
    attention.all_head_size = len(rows)


def _linear(weight: torch.Tensor, bias: torch.Tensor) -> torch.nn.Linear:
    made = torch.nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        made.weight.copy_(weight)
        made.bias.copy_(bias)
    return made


def _described(model: QueryModel) -> QueryModel:
    """Writes the shapes into the model's description; the weights are then all its own."""
    config = model.encoder.config.to_dict()
    counts = [layer.attention.self.num_attention_heads for layer in model.encoder.encoder.layer]
    config.pop(HEADS_BY_LAYER, None)
    if any(count != model.encoder.config.num_attention_heads for count in counts):
        config[HEADS_BY_LAYER] = counts
    model.spec = model.spec.model_copy(
        update={"base": "", "tuning": ModelSpec().tuning, "encoder": config}
    )
    return model


@contextmanager
def _gated(layers: Any, gates: Sequence[torch.Tensor]) -> Generator[None]:
    """Multiplies what each head gives by its gate, while it is open."""

    def gate(values: torch.Tensor) -> Callable[[Any, Any], Any]:
        def apply(_: Any, given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
            batch, tokens, width = given[0].shape
            each = given[0].reshape(batch, tokens, len(values), width // len(values))
            return ((each * values[:, None]).reshape(batch, tokens, width), *given[1:])

        return apply

    hooks = [
        layer.attention.output.dense.register_forward_pre_hook(gate(values))
        for layer, values in zip(layers, gates, strict=True)
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def parameters_by_part(model: QueryModel) -> Mapping[str, int]:
    """Returns the number of parameters of the encoder's layers, its tables, and the heads."""
    layers = sum(item.numel() for item in model.encoder.encoder.parameters())
    tables = sum(item.numel() for item in model.encoder.embeddings.parameters())
    heads = sum(item.numel() for item in model.heads.parameters())
    return {"layers": layers, "tables": tables, "heads": heads}
