"""A shop's side, asked as a server asks."""

import numpy as np
import pytest
from flwr.app import ConfigRecord, Context, Message, RecordDict
from flwr.app.message_type import MessageType
from flwr.common import FitIns, ndarrays_to_parameters, parameters_to_ndarrays
from flwr.common.secure_aggregation.secaggplus_constants import RECORD_KEY_CONFIGS, Key, Stage
from flwr.compat.common.recorddict_compat import fitins_to_recorddict, recorddict_to_fitres

from shared.federated.errors import FederatedError
from shared.federated.flower.client import client_app, read_shop
from shared.federated.learning import norm, train
from tests.shared.federated.made_up import TASK, intent_shop

TOLD = {
    "epochs": 2, "batch": 8, "learning_rate": 0.5, "clip": 0.0, "seed": 3, "round": 4,
    "private": False,
}  # fmt: skip
ROWS = intent_shop(30, seed=1)
APP = client_app(lambda _: (TASK.model(), ROWS))


def context(**node_config):
    return Context(run_id=1, node_id=7, node_config=node_config, state=RecordDict(), run_config={})


def ask(told=TOLD, weights=None, node="plain"):
    start = TASK.model().initial() if weights is None else weights
    content = fitins_to_recorddict(FitIns(ndarrays_to_parameters(start), told), True)
    message = Message(content, dst_node_id=7, message_type=MessageType.TRAIN, group_id="4")
    result = recorddict_to_fitres(APP(message, context(aggregation=node)).content, True)
    return parameters_to_ndarrays(result.parameters), result.num_examples


def test_it_answers_with_what_it_learnt_and_how_many_examples_that_took() -> None:
    update, examples = ask()
    expected = train(
        TASK.model(), TASK.model().initial(), ROWS, epochs=2, batch=8, learning_rate=0.5,
        random=np.random.default_rng([3, 4, 30]),
    )  # fmt: skip
    assert examples == 30
    for own, other in zip(update, expected, strict=True):
        np.testing.assert_allclose(own, other)


def test_under_noise_it_clips_and_counts_once() -> None:
    update, examples = ask({**TOLD, "clip": 0.01, "private": True})
    assert norm(update) == pytest.approx(0.01)
    assert examples == 1


def test_a_node_refuses_to_answer_openly_unless_it_is_told_to() -> None:
    with pytest.raises(FederatedError, match="secure aggregation alone"):
        ask(node="secure")


@pytest.mark.parametrize(("shops", "shares", "threshold"), [(2, 2, 2), (9, 9, 4), (9, 9, 1)])
def test_a_sum_that_would_show_one_shop_is_refused(shops, shares, threshold) -> None:
    asked = {
        Key.STAGE: Stage.SETUP, Key.SAMPLE_NUMBER: shops, Key.SHARE_NUMBER: shares,
        Key.THRESHOLD: threshold, Key.CLIPPING_RANGE: 8.0, Key.TARGET_RANGE: 1 << 22,
        Key.MOD_RANGE: 1 << 32, Key.MAX_WEIGHT: 1000.0,
    }  # fmt: skip
    content = RecordDict({RECORD_KEY_CONFIGS: ConfigRecord(asked)})
    message = Message(content, dst_node_id=7, message_type=MessageType.TRAIN, group_id="1")
    with pytest.raises(FederatedError, match="at least 3 shops and more than half"):
        APP(message, context())


def test_another_model_is_refused() -> None:
    with pytest.raises(FederatedError, match="no such one"):
        ask(weights=[np.zeros(3)])


def test_files_are_read_and_what_is_missing_is_named(tmp_path) -> None:
    from shared.federated.flower import client

    ROWS.save(tmp_path / "shop.npz")
    TASK.save(tmp_path / "task.json")
    model, rows = read_shop(tmp_path / "shop.npz", tmp_path / "task.json")
    assert model == TASK.model()
    assert len(rows) == 30
    message = Message(RecordDict(), dst_node_id=7, message_type=MessageType.TRAIN, group_id="1")
    message.content.config_records["fitins.config"] = ConfigRecord({})
    with pytest.raises(FederatedError, match="does not name task"):
        client.app(message, context(aggregation="plain", rows=str(tmp_path / "shop.npz")))
