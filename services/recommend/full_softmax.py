"""Cross-entropy over all items in pieces that stay in the processor's cache.

The plain loss keeps the logits of every position and item (a gigabyte for 20,000 positions), three
times over; here a piece is computed, turned into its own gradient in place, and forgotten.
"""

from __future__ import annotations

from typing import Any

import torch

PIECE = 128
"""Positions at a time."""


class _FullSoftmax(torch.autograd.Function):
    """Loss and gradients in one pass: the gradient of softmax is at hand when its loss is."""

    @staticmethod
    def forward(
        ctx: Any, states: torch.Tensor, vectors: torch.Tensor, targets: torch.Tensor
    ) -> torch.Tensor:
        total = len(states)
        state_grads = torch.empty_like(states)
        vector_grads = torch.zeros_like(vectors)
        buffer = states.new_empty(min(PIECE, total), len(vectors))
        loss = states.new_zeros(())
        transposed = vectors.T
        for begin in range(0, total, PIECE):
            piece = states[begin : begin + PIECE]
            wanted = targets[begin : begin + PIECE, None]
            logits = buffer[: len(piece)]
            torch.mm(piece, transposed, out=logits)
            logits -= logits.amax(dim=1, keepdim=True)
            loss -= logits.gather(1, wanted).sum()
            sums = logits.exp_().sum(dim=1, keepdim=True)
            loss += sums.log().sum()
            gradient = logits.div_(sums * total)
            gradient.scatter_add_(1, wanted, gradient.new_full(wanted.shape, -1.0 / total))
            torch.mm(gradient, vectors, out=state_grads[begin : begin + PIECE])
            vector_grads.addmm_(gradient.T, piece)
        ctx.save_for_backward(state_grads, vector_grads)
        return loss / total

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        state_grads, vector_grads = ctx.saved_tensors
        return gradients[0] * state_grads, gradients[0] * vector_grads, None


def full_softmax_loss(
    states: torch.Tensor, vectors: torch.Tensor, targets: torch.Tensor
) -> torch.Tensor:
    """Mean cross-entropy of the targets among all items.

    Args:
        states: [positions, width], one at least.
        vectors: Of the items, [items, width]; a logit is the product of the two.
        targets: Numbers of items, [positions].

    Returns:
        A number in nats, differentiable once by states and vectors.
    """
    function: Any = _FullSoftmax
    return function.apply(states, vectors, targets)
