"""The network: features of a candidate to the logits of click, cart and purchase.

A multi-gate mixture of experts (Ma et al., "Modeling task relationships in multi-task learning with
multi-gate mixture-of-experts", KDD 2018): small networks that all tasks share, of which each task
mixes its own share by a gate. The tasks are a chain (Ma et al., "Entire space multi-task model",
SIGIR 2018): the towers tell a click, a cart once it is clicked and a purchase once it is in the
cart, and all three are learnt over everything that was shown, through their products.
"""

from __future__ import annotations

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch.nn import functional

from services.ranking.clicks.page_log import OUTCOMES

TASKS = OUTCOMES


class Shape(BaseModel):
    """Sizes of the network."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    experts: int = Field(default=4, ge=1, le=64)
    width: int = Field(default=32, ge=1, le=4096)
    """Of an expert's two layers."""
    tower: int = Field(default=16, ge=1, le=4096)
    """Of a task's hidden layer."""
    dropout: float = Field(default=0.1, ge=0.0, lt=1.0)


class DeepNetwork(torch.nn.Module):
    """Features to logits.

    Args:
        features: How many columns there are.
        shape: Sizes.
    """

    def __init__(self, features: int, shape: Shape) -> None:
        super().__init__()
        self.features = features
        self.shape = shape
        self.experts = torch.nn.ModuleList(
            torch.nn.Sequential(
                torch.nn.Linear(features, shape.width),
                torch.nn.ReLU(),
                torch.nn.Dropout(shape.dropout),
                torch.nn.Linear(shape.width, shape.width),
                torch.nn.ReLU(),
            )
            for _ in range(shape.experts)
        )
        self.gates = torch.nn.ModuleList(torch.nn.Linear(features, shape.experts) for _ in TASKS)
        self.towers = torch.nn.ModuleList(
            torch.nn.Sequential(
                torch.nn.Linear(shape.width, shape.tower),
                torch.nn.ReLU(),
                torch.nn.Linear(shape.tower, 1),
            )
            for _ in TASKS
        )

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Logits of each step of the chain: (rows, features) to (rows, tasks)."""
        # Features lie in 0..1; so centred, a step to either side is alike.
        centred = 2.0 * values - 1.0
        experts = torch.stack([expert(centred) for expert in self.experts], dim=1)
        logits: list[torch.Tensor] = []
        for gate, tower in zip(self.gates, self.towers, strict=True):
            shares = torch.softmax(gate(centred), dim=1)
            logits.append(tower((shares[:, :, None] * experts).sum(dim=1)))
        return torch.cat(logits, dim=1)


def log_chances(logits: torch.Tensor) -> torch.Tensor:
    """Log-probability of each task for what is looked at, (rows, tasks): along the chain."""
    return functional.logsigmoid(logits).cumsum(dim=1)


def unbiased_loss(
    logits: torch.Tensor, outcomes: torch.Tensor, looked: torch.Tensor
) -> torch.Tensor:
    """Log loss of all tasks for what is looked at, estimated from what was shown.

    Nobody knows whether a product without a click was looked at. With c / p in place of a click c,
    p the propensity of the place, the loss over what was shown is that over what is looked at, in
    expectation (Saito et al., "Unbiased recommender learning from missing-not-at-random implicit
    feedback", WSDM 2020). Each result counts p times, as much as it was looked at, which moves no
    minimum and keeps single clicks from counting without bound: -(c log q + (p - c) log(1 - q)).

    Args:
        logits: (rows, tasks) of the chain.
        outcomes: (rows, tasks) 0 or 1.
        looked: (rows,) propensity of the place.

    Returns:
        Sum over rows and tasks, in nats.
    """
    likely = log_chances(logits)
    # log(1 - q), from log q, without a loss of digits near either end.
    unlikely = torch.log(-torch.expm1(likely.clamp(max=-1e-6)))
    return -(outcomes * likely + (looked[:, None] - outcomes) * unlikely).sum()
