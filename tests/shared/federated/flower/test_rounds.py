"""Rounds over shops in one process: averages, secure sums, noise, and going on."""

import multiprocessing
import os
import signal
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from flwr.app import Message
from flwr.common import bytes_to_ndarray
from flwr.common.secure_aggregation.secaggplus_constants import RECORD_KEY_CONFIGS, Key

from shared.federated import checkpoint
from shared.federated.errors import FederatedError
from shared.federated.flower.client import client_app
from shared.federated.flower.in_process import SHOP, InProcessGrid, train_in_process
from shared.federated.flower.rounds import run_rounds
from shared.federated.learning import clipped, difference, train
from shared.federated.settings import RunSettings
from tests.shared.federated.made_up import TASK, intent_shop

MODEL = TASK.model()
SHOPS = [intent_shop(examples, seed=examples) for examples in (5, 40, 12, 23)]
SETTINGS = RunSettings(rounds=3, batch=8, learning_rate=0.5, secure=False, seed=2)


def trained(settings, shops=SHOPS, **more):
    return train_in_process(MODEL, lambda at: (MODEL, shops[at]), len(shops), settings, **more)


def update_of(rows, weights, settings, number=1):
    after = train(
        MODEL, weights, rows, epochs=settings.epochs, batch=settings.batch,
        learning_rate=settings.learning_rate,
        random=np.random.default_rng([settings.seed, number, len(rows)]),
    )  # fmt: skip
    return difference(after, weights)


def largest_gap(first, second):
    return max(float(np.abs(a - b).max()) for a, b in zip(first, second, strict=True))


def test_a_round_adds_the_mean_of_updates_weighted_by_examples() -> None:
    after = trained(SETTINGS.model_copy(update={"rounds": 1}))
    sizes = [len(rows) for rows in SHOPS]
    for at in range(2):
        by_hand = sum(
            size * update_of(rows, MODEL.initial(), SETTINGS)[at]
            for size, rows in zip(sizes, SHOPS, strict=True)
        ) / sum(sizes)
        np.testing.assert_allclose(after[at], by_hand, atol=1e-12)


def test_a_secure_sum_is_the_plain_one() -> None:
    plain = trained(SETTINGS)
    secure = trained(SETTINGS.model_copy(update={"secure": True}))
    # 22 bits for numbers up to 8 times the weight, which is at least 5 of 1,000 here.
    assert 0.0 < largest_gap(plain, secure) < 2e-3
    assert largest_gap(plain, MODEL.initial()) > 0.1


class Listening(InProcessGrid):
    """Keeps what reaches the server."""

    def __init__(self, *given) -> None:
        super().__init__(*given)
        self.heard: list[Message] = []

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> list[Message]:
        replies = super().send_and_receive(messages, timeout=timeout)
        self.heard += replies
        return replies


def test_the_server_sees_no_single_update_and_no_count() -> None:
    app = client_app(lambda context: (MODEL, SHOPS[int(context.node_config[SHOP])]))
    grid = Listening(app, len(SHOPS), {})
    settings = SETTINGS.model_copy(update={"rounds": 1, "secure": True})
    run_rounds(grid, MODEL.initial(), settings)
    assert len(grid.heard) == 4 * len(SHOPS)
    masked = []
    for message in grid.heard:
        assert not message.has_error()
        assert all(not len(record) for record in message.content.array_records.values())
        counts = [dict(record) for record in message.content.metric_records.values()]
        assert counts in ([], [{"num_examples": 1}])
        config = message.content.config_records[RECORD_KEY_CONFIGS]
        if Key.MASKED_PARAMETERS in config:
            vectors = [bytes_to_ndarray(each) for each in config[Key.MASKED_PARAMETERS]]
            masked.append(np.concatenate([vector.ravel() for vector in vectors]))
    assert len(masked) == len(SHOPS)
    for vector in masked:
        # Uniform over 32 bits: an update alone would fill the 22 bits that it is written in.
        assert vector.min() >= 0
        assert vector.max() >= 1 << 28
    for at, rows in enumerate(SHOPS):
        own = np.concatenate([a.ravel() for a in update_of(rows, MODEL.initial(), settings)])
        written = (own * len(rows) / 1000 + 8.0) * (1 << 22) / 16.0
        assert np.abs(masked[at][-len(own) :] - written).min() > 1.0


def test_a_shop_that_drops_out_leaves_the_sum_of_the_others() -> None:
    def load(context):
        at = int(context.node_config[SHOP])
        if at == 1:
            raise FederatedError("gone")
        return MODEL, SHOPS[at]

    settings = SETTINGS.model_copy(update={"rounds": 1, "secure": True})
    after = run_rounds(InProcessGrid(client_app(load), 4, {}), MODEL.initial(), settings)
    others = [SHOPS[0], SHOPS[2], SHOPS[3]]
    assert largest_gap(after, trained(settings.model_copy(update={"secure": False}), others)) < 2e-3


def test_too_few_answers_end_the_run() -> None:
    def load(context):
        if int(context.node_config[SHOP]):
            raise FederatedError("gone")
        return MODEL, SHOPS[0]

    settings = SETTINGS.model_copy(update={"secure": True})
    with pytest.raises(FederatedError, match="round 1 could not be summed"):
        run_rounds(InProcessGrid(client_app(load), 4, {}), MODEL.initial(), settings)
    plain = SETTINGS.model_copy(update={"secure": False})
    grid = InProcessGrid(client_app(load), 4, {})
    with pytest.raises(FederatedError, match="round 1 could not be summed"):
        run_rounds(grid, MODEL.initial(), plain)


def test_too_few_shops_are_told() -> None:
    with pytest.raises(FederatedError, match="too few for a secure sum"):
        trained(SETTINGS.model_copy(update={"secure": True}), SHOPS[:2])
    with pytest.raises(FederatedError, match="no shop is connected"):
        trained(SETTINGS, [])


@pytest.mark.parametrize("secure", [False, True])
def test_noise_comes_on_the_sum_of_clipped_updates(secure: bool) -> None:
    settings = RunSettings(
        rounds=1, batch=8, learning_rate=0.5, secure=secure, seed=2, clip=0.1, noise=0.7,
        noise_seed=5,
    )  # fmt: skip
    after = trained(settings)
    random = np.random.default_rng([5, 1])
    for at, start in enumerate(MODEL.initial()):
        whole = sum(clipped(update_of(rows, MODEL.initial(), settings), 0.1)[at] for rows in SHOPS)
        noise = random.normal(0.0, 0.7 * 0.1, start.shape)
        np.testing.assert_allclose(after[at], (whole + noise) / len(SHOPS), atol=1e-5)


def test_without_a_seed_noise_is_new_each_time() -> None:
    settings = RunSettings(rounds=1, secure=False, clip=0.1, noise=0.7)
    assert largest_gap(trained(settings), trained(settings)) > 1e-3


def test_a_round_that_nobody_is_drawn_for_is_noise_alone() -> None:
    settings = RunSettings(rounds=1, secure=False, clip=0.1, noise=0.7, sample_rate=1e-9)
    assert largest_gap(trained(settings), MODEL.initial()) > 0.0
    assert largest_gap(trained(settings.model_copy(update={"noise": 0.0})), MODEL.initial()) == 0.0


def _killed(folder: Path) -> None:
    done = 0

    def after_two() -> None:
        nonlocal done
        done += 1
        if done == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    trained(SETTINGS.model_copy(update={"rounds": 5}), folder=folder, on_round=after_two)


def test_a_run_that_was_killed_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_killed, args=(tmp_path,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert (tmp_path / checkpoint.CHECKPOINT).is_file()
    settings = SETTINGS.model_copy(update={"rounds": 5})
    kept: list[int] = []

    def look() -> None:
        with np.load(tmp_path / checkpoint.CHECKPOINT) as file:
            kept.append(int(file["rounds"]))

    after = trained(settings, folder=tmp_path, on_round=look)
    assert kept == [2, 2, 3, 4, 5]  # two were done, and are counted at once
    assert largest_gap(after, trained(settings)) == 0.0
    with pytest.raises(FederatedError, match="another run"):
        trained(SETTINGS, folder=tmp_path)
