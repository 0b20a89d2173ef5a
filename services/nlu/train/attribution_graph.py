"""Integrated gradients of the cross-encoder as one graph, so that serving needs no torch for them.

Integrated gradients (Sundararajan, Taly and Yan, "Axiomatic attribution for deep networks", 2017):
what a token adds is the gradient of the logit with respect to the token's embedding, averaged on
the straight way from a baseline to the pair, times the way. They sum to the logit less that of the
baseline (completeness), up to the error of the average, a Gauss-Legendre quadrature here.

A baseline must say nothing, and a pair in which all is masked says "the two are alike". So there
are two: the words of the text are attributed from a text of [MASK] under the same query, those of
the query from a query of [MASK] over the same text. What stands for the row ([CLS], [SEP]) and the
places stay. The graph holds the forward passes, their derivatives and the sums.
"""

from importlib import import_module
from typing import Any, Final

import numpy as np
import torch
from torch import nn
from torch.fx.experimental.proxy_tensor import make_fx

from services.nlu.train.graph import GraphModel
from services.nlu.train.model import QueryModel, Read

MATCH: Final = "match"
OUTPUTS: Final = ("attributions", MATCH, "baselines")
STEPS: Final = 16
"""Nodes of the quadrature, for each of the two ways."""
_WARP: Final = 1.5
"""The share of the way is u^1.5, u being what the nodes divide: near the baseline, where words
begin to be told apart, the logit changes most."""


class AttributionGraph(nn.Module):
    """Pairs to what each token added to their logit.

    Args:
        model: A cross-encoder in evaluation mode, tuning merged, of a BERT encoder.
        mask_id: Of the token that says nothing.
        steps: Nodes of the quadrature.
    """

    def __init__(self, model: QueryModel, *, mask_id: int, steps: int = STEPS) -> None:
        super().__init__()
        self.inner = GraphModel(model, fused=False).inner
        for parameter in self.inner.parameters():
            parameter.requires_grad = False
        (head,) = model.spec.heads
        self.divider, self.mask_id = head.divider, mask_id
        nodes, weights = np.polynomial.legendre.leggauss(steps)
        # Three more passes take part without a weight: the two baselines and the pair itself.
        # Columns are the query's share of the way and the text's.
        even = (nodes + 1.0) / 2.0
        on_way, weights = even**_WARP, weights / 2.0 * _WARP * even ** (_WARP - 1.0)
        ones = np.ones(steps)
        shares = [(0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]
        shares += [*zip(on_way, ones, strict=True), *zip(ones, on_way, strict=True)]
        counts = np.zeros((2, len(shares)))
        counts[0, 3 : 3 + steps] = counts[1, 3 + steps :] = weights
        self.shares: torch.Tensor
        self.counts: torch.Tensor
        self.register_buffer("shares", torch.tensor(shares, dtype=torch.float32))
        self.register_buffer("counts", torch.tensor(counts, dtype=torch.float32))
        self.eval()

    def forward(self, input_ids: torch.Tensor, segments: torch.Tensor) -> Any:
        """(batch, tokens) int32 twice -> (batch, tokens, 1), (batch, 1) and (batch, 2).

        The attributions, the logit of the pair, and those of the baselines: without the query's
        words, and without the text's.
        """
        # Runtimes look rows up by 64 bits.
        input_ids, segments = input_ids.to(torch.int64), segments.to(torch.int64)
        table = self.inner.encoder.get_input_embeddings().weight
        places = torch.arange(input_ids.shape[1], device=input_ids.device)
        kept = (input_ids == self.divider) | (input_ids == 0) | (places == 0)
        embedded = table[input_ids]
        way = torch.where(kept.unsqueeze(-1), 0.0, embedded - table[self.mask_id])
        passes = self.shares.shape[0]
        # (passes, batch, tokens): how far along its way each token is.
        shares = torch.where(
            (segments == 0).unsqueeze(0),
            self.shares[:, 0].reshape(-1, 1, 1),
            self.shares[:, 1].reshape(-1, 1, 1),
        )
        points = (embedded - (1.0 - shares).unsqueeze(-1) * way).flatten(0, 1)
        ids, kinds = (item.repeat(passes, 1) for item in (input_ids, segments))

        def total(given: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            logits = self._logits(given, ids, kinds)
            return logits.sum(), logits

        gradients, logits = torch.func.grad(total, has_aux=True)(points)
        gradients = gradients.unflatten(0, (passes, -1))
        along = (gradients * way).sum(-1)  # (passes, batch, tokens)
        of_query, of_text = (
            (along * self.counts[side].reshape(-1, 1, 1)).sum(0) for side in (0, 1)
        )
        attributions = torch.where(segments == 0, of_query, of_text)
        by_pass = logits.reshape(passes, -1)
        return attributions.unsqueeze(-1), by_pass[2].unsqueeze(-1), by_pass[:2].transpose(0, 1)

    def _logits(
        self, embeddings: torch.Tensor, ids: torch.Tensor, segments: torch.Tensor
    ) -> torch.Tensor:
        """(rows, tokens, width) of word embeddings in place of the ids' own -> (rows, 1)."""
        mask = (ids != 0).to(torch.int64)
        states = self.inner.encoder.encode(embeddings, mask, segments)
        read = Read(ids, mask.unsqueeze(-1).to(states.dtype), self.inner.encoder, segments)
        return self.inner.heads[MATCH](states, read)


def traced(graph: AttributionGraph, examples: tuple[torch.Tensor, torch.Tensor]) -> nn.Module:
    """Returns the same function as operators, the derivative written out: what an exporter reads.

    Args:
        graph: What is traced.
        examples: `input_ids` and `segments`, of at least two rows and tokens.
    """
    decompositions: Any = import_module("torch._decomp")
    tracer: Any = make_fx

    def called(input_ids: torch.Tensor, segments: torch.Tensor) -> Any:
        return graph(input_ids, segments)  # a module itself is not traced with its parameters

    return tracer(
        called,
        decomposition_table=decompositions.core_aten_decompositions(),
        tracing_mode="symbolic",
        _allow_non_fake_inputs=True,
    )(*examples)
