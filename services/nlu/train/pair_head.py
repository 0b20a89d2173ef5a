"""The head of a cross-encoder: one logit a pair from how the two texts, read together, agree.

Beside a learnt comparison of the two means it has the cosine of the means and the best agreement of
each token of the first text with any of the second (late interaction: Khattab and Zaharia, 2020),
so that a model number met again counts before anything is learnt. That spares most of the pairs
that a head over [CLS] alone needs.
"""

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from services.nlu.train.model import Read

_START_SCALE = 6.0
_START_OFFSET = -5.0


class PairHead(torch.nn.Module):
    """Logits of pairs.

    Args:
        divider: Id of the token between the two texts of a row, and at its end.
        width: Of the encoder's states.
    """

    def __init__(self, divider: int, width: int) -> None:
        super().__init__()
        self.divider = divider
        self.dropout = torch.nn.Dropout(0.1)
        self.hidden = torch.nn.Linear(3 * width, width // 2)
        self.linear = torch.nn.Linear(width // 2, 1)
        torch.nn.init.zeros_(self.linear.weight)
        torch.nn.init.constant_(self.linear.bias, _START_OFFSET)
        self.scales = torch.nn.Parameter(torch.full((2,), _START_SCALE))

    def forward(self, states: torch.Tensor, read: "Read") -> torch.Tensor:
        """(batch, tokens, width) -> (batch, 1)."""
        mask, ids = read.mask, read.ids
        ends = (ids == self.divider).to(torch.int64)
        before = torch.cumsum(ends, dim=1) - ends
        words = (1 - ends).to(states.dtype) * mask[..., 0].to(states.dtype)
        first = words * (before == 0).to(states.dtype)
        # The very first token stands for the row, not for a word of it.
        first = torch.cat([torch.zeros_like(first[:, :1]), first[:, 1:]], dim=1)
        second = words * (before == 1).to(states.dtype)
        one, two = _mean(states, first), _mean(states, second)
        unit = functional.normalize(states, dim=-1)
        alike = unit @ unit.transpose(1, 2) + (second.unsqueeze(1) - 1.0) * 2.0
        best = (alike.max(2).values * first).sum(1) / first.sum(1).clamp(min=1.0)
        cosine = (functional.normalize(one, dim=-1) * functional.normalize(two, dim=-1)).sum(1)
        pooled = torch.cat([one * two, (one - two).abs(), states[:, 0]], dim=-1)
        learnt = self.linear(torch.tanh(self.hidden(self.dropout(pooled))))
        return learnt + (torch.stack([cosine, best], dim=1) * self.scales).sum(1, keepdim=True)


def _mean(states: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    total = (states * weights.unsqueeze(-1)).sum(1)
    return total / weights.sum(1, keepdim=True).clamp(min=1.0)
