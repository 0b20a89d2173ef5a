"""A shop's side: trains on rows that never leave it, and answers with a masked update.

`flower-supernode` runs `app`. Its node configuration names the shop's files:

    rows="/data/shop.npz" task="/data/task.json"

By default a node answers under secure aggregation alone, and refuses a server that asks otherwise;
`aggregation="plain"` lets it answer openly.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from flwr.app import Context, Message, MetricRecord
from flwr.client import NumPyClient
from flwr.client.mod import secaggplus_mod
from flwr.clientapp import ClientApp
from flwr.clientapp.typing import ClientAppCallable
from flwr.common.secure_aggregation.secaggplus_constants import RECORD_KEY_CONFIGS, Key, Stage

from shared.federated.errors import FederatedError
from shared.federated.learning import clipped, difference, train
from shared.federated.models import Model, Task
from shared.federated.rows import Rows
from shared.federated.settings import LEAST_SHOPS

MOST_WEIGHT: Final = 1000
"""Examples by which a shop counts at most."""
PLAIN: Final = "plain"
_COUNT: Final = "fitres.num_examples"
_MAJORITY: Final = 0.5

Shop = tuple[Model, Rows]
LoadShop = Callable[[Context], Shop]


class ShopClient(NumPyClient):
    """Trains a model on one shop's rows."""

    def __init__(self, model: Model, rows: Rows) -> None:
        self._model, self._rows = model, rows

    def fit(self, parameters: Any, config: Any) -> tuple[Any, int, dict[str, Any]]:
        """Returns what was learnt, as the difference to the weights that came in.

        Args:
            parameters: Weights of the server.
            config: `epochs`, `batch`, `learning_rate`, `clip`, `private`, `seed` and `round`.

        Raises:
            FederatedError: The server's model is not that of the task.
        """
        wanted = [array.shape for array in self._model.initial()]
        if [array.shape for array in parameters] != wanted:
            raise FederatedError(f"the server's model is no such one: {wanted} expected")
        drawn = np.random.default_rng([int(config["seed"]), int(config["round"]), len(self._rows)])
        after = train(
            self._model,
            parameters,
            self._rows,
            epochs=int(config["epochs"]),
            batch=int(config["batch"]),
            learning_rate=float(config["learning_rate"]),
            random=drawn,
        )
        update = difference(after, parameters)
        if float(config["clip"]):
            update = clipped(update, float(config["clip"]))
        # Under noise all shops count alike: a count would say how large one is.
        counted = 1 if config["private"] else min(len(self._rows), MOST_WEIGHT)
        return update, counted, {}


def client_app(load: LoadShop) -> ClientApp:
    """Returns the app of a shop.

    Args:
        load: Finds the shop that a node's context names.
    """

    def shop_client(context: Context) -> Any:
        return ShopClient(*load(context)).to_client()

    return ClientApp(shop_client, mods=[guarded])


def guarded(message: Message, context: Context, call_next: ClientAppCallable) -> Message:
    """Answers under SecAgg+ (Bell et al., CCS 2020), unless the node lets plain answers pass.

    Flower's mod sends the number of examples beside the masked vector, which holds it, too; it is
    taken off here. A sum over too few shops is refused.

    Raises:
        FederatedError: The server asks for what would show one shop's update.
    """
    records = message.content.config_records
    if RECORD_KEY_CONFIGS not in records:
        if context.node_config.get("aggregation") == PLAIN:
            return call_next(message, context)
        raise FederatedError("this node answers under secure aggregation alone")
    asked = records[RECORD_KEY_CONFIGS]
    if asked.get(Key.STAGE) == Stage.SETUP:
        shops, shares, threshold = (
            int(str(asked[key])) for key in (Key.SAMPLE_NUMBER, Key.SHARE_NUMBER, Key.THRESHOLD)
        )
        if shops < LEAST_SHOPS or threshold <= shares * _MAJORITY:
            raise FederatedError(
                f"a sum of {shops} shops, {threshold} of {shares} shares to open it: at least "
                f"{LEAST_SHOPS} shops and more than half of the shares are needed"
            )
    reply = secaggplus_mod(message, context, call_next)
    if _COUNT in reply.content.metric_records:
        reply.content.metric_records[_COUNT] = MetricRecord({"num_examples": 1})
    return reply


@lru_cache(maxsize=4)
def read_shop(rows: Path, task: Path) -> Shop:
    """Reads a shop's files.

    Raises:
        FederatedError: One cannot be read, or they do not belong together.
    """
    agreed, own = Task.load(task), Rows.load(rows)
    agreed.check(own, rows)
    return agreed.model(), own


def _of_node(context: Context) -> Shop:
    named = context.node_config
    missing = [key for key in ("rows", "task") if not named.get(key)]
    if missing:
        raise FederatedError(f"the node configuration does not name {' and '.join(missing)}")
    return read_shop(Path(str(named["rows"])), Path(str(named["task"])))


logging.getLogger("flwr").setLevel(logging.WARNING)
app = client_app(_of_node)
