"""The derivative of the cross-encoder as one graph, so that serving needs no torch for it.

`services.nlu.learnt.attribution` makes integrated gradients (Sundararajan, Taly and Yan, "Axiomatic
attribution for deep networks", 2017) of it: each row is a pair with its tokens so far along the way
from [MASK] to themselves, and the graph gives the logit there, and how fast it changes along the
way of each token. What stands for the row ([CLS], [SEP]) and the places stay as they are.
"""

from importlib import import_module
from typing import Any, Final

import torch
from torch import nn
from torch.fx.experimental.proxy_tensor import make_fx

from services.nlu.learnt.attribution import WHOLE
from services.nlu.train.graph import GraphModel
from services.nlu.train.model import QueryModel, Read

MATCH: Final = "match"
INPUTS: Final = ("input_ids", "segments", "shares")
OUTPUTS: Final = ("slopes", MATCH)


class SlopeGraph(nn.Module):
    """Pairs part of the way from [MASK] to their slopes and logits.

    Args:
        model: A cross-encoder in evaluation mode, tuning merged, of a BERT encoder.
        mask_id: Of the token that says nothing.
    """

    def __init__(self, model: QueryModel, *, mask_id: int) -> None:
        super().__init__()
        self.inner = GraphModel(model, fused=False).inner
        for parameter in self.inner.parameters():
            parameter.requires_grad = False
        (head,) = model.spec.heads
        self.divider, self.mask_id = head.divider, mask_id
        self.eval()

    def forward(
        self, input_ids: torch.Tensor, segments: torch.Tensor, shares: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(batch, tokens) int32 thrice -> slopes (batch, tokens, 1) and logits (batch, 1).

        `shares` says how far along its way each token is, WHOLE being the token itself.
        """
        # Runtimes look rows up by 64 bits.
        input_ids, segments = input_ids.to(torch.int64), segments.to(torch.int64)
        table = self.inner.encoder.get_input_embeddings().weight
        places = torch.arange(input_ids.shape[1], device=input_ids.device)
        kept = (input_ids == self.divider) | (input_ids == 0) | (places == 0)
        embedded = table[input_ids]
        way = torch.where(kept.unsqueeze(-1), 0.0, embedded - table[self.mask_id])
        left = 1.0 - shares.to(embedded.dtype) / WHOLE
        points = embedded - left.unsqueeze(-1) * way

        def total(given: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            logits = self._logits(given, input_ids, segments)
            return logits.sum(), logits

        gradients, logits = torch.func.grad(total, has_aux=True)(points)
        return (gradients * way).sum(-1, keepdim=True), logits

    def _logits(
        self, embeddings: torch.Tensor, ids: torch.Tensor, segments: torch.Tensor
    ) -> torch.Tensor:
        """(rows, tokens, width) of word embeddings in place of the ids' own -> (rows, 1)."""
        mask = (ids != 0).to(torch.int64)
        states = self.inner.encoder.encode(embeddings, mask, segments)
        read = Read(ids, mask.unsqueeze(-1).to(states.dtype), self.inner.encoder, segments)
        return self.inner.heads[MATCH](states, read)


def traced(graph: SlopeGraph, examples: tuple[torch.Tensor, ...]) -> nn.Module:
    """Returns the same function as operators, the derivative written out: what an exporter reads.

    Args:
        graph: What is traced.
        examples: One tensor an input, of at least two rows and tokens.
    """
    decompositions: Any = import_module("torch._decomp")
    tracer: Any = make_fx

    # A module itself is not traced with its parameters.
    def called(*inputs: torch.Tensor) -> Any:
        return graph(*inputs)

    return tracer(
        called,
        decomposition_table=decompositions.core_aten_decompositions(),
        tracing_mode="symbolic",
        _allow_non_fake_inputs=True,
    )(*examples)
