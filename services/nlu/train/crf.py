"""A linear-chain conditional random field over the tags of a text (Lafferty et al., 2001).

Exact spans are what counts, so neighbouring tags are scored together, and what BIO forbids is left
out.
"""

from collections.abc import Sequence

import torch

FORBIDDEN = -10_000.0
"""Score of a step that BIO forbids: no probability is left to it, and no infinity spoils a sum."""


class Crf(torch.nn.Module):
    """Scores of tags after one another.

    Args:
        labels: "O", "B-X", "I-X", ... in the order of the logits.
    """

    allowed: torch.Tensor
    allowed_start: torch.Tensor

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__()
        count = len(labels)
        self.transitions = torch.nn.Parameter(torch.zeros(count, count))
        self.start = torch.nn.Parameter(torch.zeros(count))
        self.end = torch.nn.Parameter(torch.zeros(count))
        allowed = torch.tensor([[_may_follow(a, b) for b in labels] for a in labels])
        self.register_buffer("allowed", allowed, persistent=False)
        start = torch.tensor([_may_follow("O", label) for label in labels])
        self.register_buffer("allowed_start", start, persistent=False)

    def scores(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Returns transitions (from, to), start and end, with what BIO forbids at FORBIDDEN."""
        transitions = self.transitions.masked_fill(~self.allowed, FORBIDDEN)
        return transitions, self.start.masked_fill(~self.allowed_start, FORBIDDEN), self.end

    def loss(self, logits: torch.Tensor, tags: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Returns the negative log likelihood of each text, (batch,).

        Args:
            logits: (batch, tokens, labels) float32.
            tags: (batch, tokens) int64.
            mask: (batch, tokens) bool; true tokens come first and there is at least one.
        """
        transitions, start, end = self.scores()
        rows = torch.arange(len(tags), device=tags.device)
        gold = start[tags[:, 0]] + logits[rows, 0, tags[:, 0]]
        reach = start + logits[:, 0]
        for at in range(1, logits.shape[1]):
            live = mask[:, at]
            step = transitions[tags[:, at - 1], tags[:, at]] + logits[rows, at, tags[:, at]]
            gold = gold + step * live
            onward = torch.logsumexp(reach.unsqueeze(2) + transitions, dim=1) + logits[:, at]
            reach = torch.where(live.unsqueeze(1), onward, reach)
        last = tags.gather(1, mask.sum(1, keepdim=True) - 1).squeeze(1)
        return torch.logsumexp(reach + end, dim=1) - gold - end[last]


def _may_follow(before: str, after: str) -> bool:
    return not after.startswith("I-") or before[2:] == after[2:]
