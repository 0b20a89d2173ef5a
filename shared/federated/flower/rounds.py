"""The server's side: rounds of sampling, summing, noise and keeping.

Flower's workflows carry the messages: SecAgg+ (Bell et al., "Secure single-server aggregation with
(poly)logarithmic overhead", CCS 2020) or the plain one. What is averaged, and what noise is added,
is `UpdateSum`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from flwr.app import ConfigRecord, Context, RecordDict
from flwr.common import FitIns, FitRes, ndarrays_to_parameters, parameters_to_ndarrays
from flwr.common.typing import Parameters
from flwr.compat.common.recorddict_compat import parameters_to_arrayrecord
from flwr.server import LegacyContext, ServerConfig
from flwr.server.compat.grid_client_proxy import GridClientProxy
from flwr.server.strategy import Strategy
from flwr.server.workflow import SecAggPlusWorkflow
from flwr.server.workflow.constant import MAIN_CONFIGS_RECORD, MAIN_PARAMS_RECORD
from flwr.server.workflow.constant import Key as WorkflowKey
from flwr.server.workflow.default_workflows import default_fit_workflow
from flwr.serverapp import Grid

from shared.federated import checkpoint
from shared.federated.checkpoint import Checkpoint
from shared.federated.errors import FederatedError
from shared.federated.flower.client import MOST_WEIGHT
from shared.federated.learning import weighted_mean
from shared.federated.models import Weights
from shared.federated.settings import LEAST_SHOPS, RunSettings

SHARES: Final = 9
"""Neighbours that hold shares of a shop's secrets, itself included, where there are as many."""
LARGEST: Final = 8.0
"""Of a number in an update, times the shop's weight; what is beyond is cut by SecAgg+."""

OnRound = Callable[[int, Weights], object]


class UpdateSum(Strategy):
    """Averages updates, by examples; or sums them, each counted once, and adds noise.

    The noisy sum is divided by the number of shops that a round is expected to have, which is
    known, and not by that of those who came.

    Args:
        weights: To begin with.
        settings: Of the run.
        shops: How many there are in all.
    """

    def __init__(self, weights: Weights, settings: RunSettings, shops: int) -> None:
        super().__init__()
        self.weights = weights
        self.released = False
        self._settings, self._shops = settings, shops
        self._sampled: Sequence[Any] = ()
        self._number = 0

    def begin(self, number: int, sampled: Sequence[Any]) -> None:
        """Begins a round, from 1, with the shops that take part."""
        self._number, self._sampled, self.released = number, sampled, False

    def release(self, updates: Sequence[tuple[Weights, float]]) -> None:
        """Changes the weights by what came; with noise, also by nothing that came."""
        self.released = True
        if self._settings.private:
            self._release_noisy(updates)
        elif updates:
            mean = weighted_mean(updates)
            self.weights = [old + new for old, new in zip(self.weights, mean, strict=True)]

    def _release_noisy(self, updates: Sequence[tuple[Weights, float]]) -> None:
        settings = self._settings
        seed = None if settings.noise_seed is None else [settings.noise_seed, self._number]
        random = np.random.default_rng(seed)
        expected = settings.sample_rate * self._shops
        came = [np.zeros_like(array) for array in self.weights]
        for update, _ in updates:
            came = [held + new for held, new in zip(came, update, strict=True)]
        self.weights = [
            old
            + (whole + random.normal(0.0, settings.noise * settings.clip, whole.shape)) / expected
            for old, whole in zip(self.weights, came, strict=True)
        ]

    def configure_fit(
        self, server_round: int, parameters: Parameters, client_manager: Any
    ) -> list[tuple[Any, FitIns]]:
        """Tells each sampled shop how to train."""
        told: dict[str, Any] = {
            **self._settings.model_dump(
                include={"epochs", "batch", "learning_rate", "clip", "seed"}
            ),
            "private": self._settings.private,
            "round": server_round,
        }
        return [(proxy, FitIns(parameters, told)) for proxy in self._sampled]

    def aggregate_fit(
        self, server_round: int, results: list[tuple[Any, FitRes]], failures: Any
    ) -> tuple[Parameters | None, dict[str, Any]]:
        """Takes what came; after SecAgg+ every result is the mean, and counts once."""
        updates: list[tuple[Weights, float]] = [
            (parameters_to_ndarrays(result.parameters), float(result.num_examples))
            for _, result in results
        ]
        if updates or self._settings.private:
            self.release(updates)
        return None, {}

    def initialize_parameters(self, client_manager: Any) -> Parameters | None:
        """The weights."""
        return ndarrays_to_parameters(self.weights)

    def configure_evaluate(
        self, server_round: int, parameters: Parameters, client_manager: Any
    ) -> list[Any]:
        """Shops measure nothing: a figure of a shop would say something of its rows."""
        return []

    def aggregate_evaluate(self, server_round: int, results: Any, failures: Any) -> Any:
        """Nothing was measured."""
        return None, {}

    def evaluate(self, server_round: int, parameters: Parameters) -> None:
        """Nothing is measured here; `on_round` may."""


def run_rounds(
    grid: Grid,
    weights: Weights,
    settings: RunSettings,
    *,
    folder: Path | None = None,
    about: dict[str, Any] | None = None,
    on_round: OnRound = lambda _number, _weights: None,
) -> Weights:
    """Trains until all rounds are done, or goes on with the run that `folder` holds.

    Args:
        grid: Flower's way to the nodes.
        weights: To begin with.
        settings: Of the run.
        folder: For the checkpoint; nothing is kept without one.
        about: What the run is of besides its settings, such as the task.
        on_round: Called after each round with its number, from 1, and the weights; of a run that
            goes on first with the round where it stopped.

    Raises:
        FederatedError: There are too few shops, a round could not be summed, or `folder` holds
            another run.
    """
    told = {"settings": settings.model_dump(mode="json"), **(about or {})}
    held = checkpoint.load(folder, told) if folder else None
    done, weights = (held.rounds, held.weights) if held else (0, weights)
    known = len(list(grid.get_node_ids()))
    _check(settings, known)
    summing = UpdateSum(weights, settings, settings.shops or known)
    if done:
        on_round(done, weights)
    for number in range(done + 1, settings.rounds + 1):
        _round(grid, summing, settings, number)
        if folder:
            checkpoint.save(folder, Checkpoint(number, summing.weights), told)
        on_round(number, summing.weights)
    return summing.weights


def _check(settings: RunSettings, known: int) -> None:
    if not known:
        raise FederatedError("no shop is connected")
    expected = settings.sample_rate * known
    if settings.secure and expected < LEAST_SHOPS:
        raise FederatedError(
            f"{expected:g} of {known} shops a round are too few for a secure sum: {LEAST_SHOPS} at "
            "least; raise the sample rate, or wait for more shops"
        )
    if settings.shops and settings.shops < known:
        raise FederatedError(f"{known} shops are connected, the settings say {settings.shops}")


def _round(grid: Grid, summing: UpdateSum, settings: RunSettings, number: int) -> None:
    nodes = np.array(sorted(grid.get_node_ids()), dtype=np.uint64)
    draws = np.random.default_rng([settings.seed, number]).random(len(nodes))
    sampled = [int(node) for node in nodes[draws < settings.sample_rate]]
    if settings.secure and len(sampled) < LEAST_SHOPS:
        raise FederatedError(
            f"round {number} drew {len(sampled)} shops, too few for a secure sum; raise the sample "
            "rate and begin anew"
        )
    summing.begin(number, [GridClientProxy(node, grid, 0) for node in sampled])
    if not sampled:
        summing.release([])
        return
    workflow: Any = default_fit_workflow
    if settings.secure:
        workflow = SecAggPlusWorkflow(
            num_shares=1.0 if len(sampled) <= SHARES else SHARES,
            # More than half opens a secret: nodes cannot be told two stories of who is gone.
            reconstruction_threshold=min(len(sampled), SHARES) // 2 + 1,
            max_weight=1.0 if settings.private else float(MOST_WEIGHT),
            clipping_range=LARGEST,
        )
    workflow(grid, _context(summing, number))
    if not summing.released:
        raise FederatedError(
            f"round {number} could not be summed: too few of {len(sampled)} shops answered; the "
            "same command goes on from the last round"
        )


def _context(summing: UpdateSum, number: int) -> LegacyContext:
    """What Flower's workflows read: the round, the weights and who is to answer."""
    state = RecordDict()
    state.config_records[MAIN_CONFIGS_RECORD] = ConfigRecord({WorkflowKey.CURRENT_ROUND: number})
    state.array_records[MAIN_PARAMS_RECORD] = parameters_to_arrayrecord(
        ndarrays_to_parameters(summing.weights), keep_input=True
    )
    plain = Context(run_id=0, node_id=0, node_config={}, state=state, run_config={})
    return LegacyContext(plain, config=ServerConfig(num_rounds=1), strategy=summing)
