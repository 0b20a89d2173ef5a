"""Training that knows what 8 bits will do to it (quantisation-aware: Jacob et al., 2018).

The served graph rounds what goes into each matrix product to 256 steps between the least and the
largest number of the tensor. A few large activations make these steps coarse, and a tagger feels it
first. Rounding in training too, with the gradient passed straight through, teaches the weights to
live with it.
"""

from typing import Any

import torch

LEVELS = 255
SIGNED = 127


def round_activations(values: torch.Tensor) -> torch.Tensor:
    """Returns a tensor of any shape as dynamic 8-bit quantisation sees it, one scale for all."""
    with torch.no_grad():
        low = values.min().clamp(max=0.0)
        scale = ((values.max().clamp(min=0.0) - low) / LEVELS).clamp(min=1e-8)
        rounded = torch.round((values - low) / scale) * scale + low
        error = rounded - values
    return values + error


def add_rounding(encoder: torch.nn.Module) -> list[Any]:
    """Rounds the inputs of every linear layer of an encoder while it is in training.

    Returns:
        The hooks; `remove()` takes each away again.
    """

    def before(module: torch.nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
        if not module.training:
            return given
        return (round_activations(given[0]), *given[1:])

    modules: Any = encoder  # torch leaves the types of its modules open
    return [
        module.register_forward_pre_hook(before)
        for name, module in modules.named_modules()
        if _is_product(name, module)
    ]


def _is_product(name: str, module: torch.nn.Module) -> bool:
    """Whether a module is a product that the served graph rounds; low-rank parts are merged."""
    if ".lora_" in name or name.endswith(".base_layer") or name.startswith("embeddings."):
        return False
    return isinstance(module, torch.nn.Linear) or hasattr(module, "base_layer")
