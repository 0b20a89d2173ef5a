"""Shops in one process: the same apps and the same round loop, without the network between.

Flower's own simulation runs on Ray, which is larger than all that is computed here.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from flwr.app import Context, Error, Message, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid

from shared.federated.flower.client import PLAIN, Shop, client_app
from shared.federated.flower.rounds import run_rounds
from shared.federated.models import Model, Weights
from shared.federated.settings import RunSettings

RUN: Final = 1
SHOP: Final = "shop"
"""Key of a node's configuration: the number of its shop, from 0."""
_FAILED: Final = 3


class InProcessGrid(Grid):
    """Hands messages to an app and its answers back, each copied as a network would.

    Args:
        app: Of a shop.
        shops: How many nodes there are; their ids begin at 1.
        node_config: What every node is configured with besides its number.
    """

    def __init__(self, app: ClientApp, shops: int, node_config: dict[str, Any]) -> None:
        self._app = app
        self._replies: dict[str, Message] = {}
        self._contexts = {
            number + 1: Context(
                run_id=RUN,
                node_id=number + 1,
                node_config={**node_config, SHOP: number},
                state=RecordDict(),
                run_config={},
            )
            for number in range(shops)
        }

    def set_run(self, run: Any) -> None:
        """Nothing to set: there is one run."""

    @property
    def run(self) -> Any:
        """There is no record of the run."""
        raise NotImplementedError

    def create_message(
        self,
        content: RecordDict,
        message_type: str,
        dst_node_id: int,
        group_id: str,
        ttl: float | None = None,
    ) -> Message:
        """Makes a message to a node."""
        return Message(content, dst_node_id, message_type, ttl=ttl, group_id=group_id)

    def get_node_ids(self) -> Sequence[int]:
        """Ids of all nodes, ascending."""
        return sorted(self._contexts)

    def push_messages(self, messages: Iterable[Message]) -> list[str]:
        """Runs the app for each message at once, and keeps the answers."""
        ids: list[str] = []
        for message in messages:
            sent = copy.deepcopy(message)
            sent.metadata.__dict__["_run_id"] = RUN
            sent.metadata.__dict__["_message_id"] = str(uuid4())
            ids.append(sent.metadata.message_id)
            self._replies[ids[-1]] = self._answer(sent)
        return ids

    def pull_messages(self, message_ids: Iterable[str]) -> list[Message]:
        """Hands over the answers."""
        return [self._replies.pop(each) for each in message_ids]

    def send_and_receive(
        self, messages: Iterable[Message], *, timeout: float | None = None
    ) -> list[Message]:
        """Does both; `timeout` means nothing here."""
        return self.pull_messages(self.push_messages(messages))

    def _answer(self, message: Message) -> Message:
        try:
            reply = self._app(message, self._contexts[message.metadata.dst_node_id])
        except Exception as error:
            # As a node does: the server sees a failure, and the others go on.
            return Message(Error(code=_FAILED, reason=str(error)), reply_to=message)
        return copy.deepcopy(reply)


def train_in_process(
    model: Model,
    load: Callable[[int], Shop],
    shops: int,
    settings: RunSettings,
    *,
    folder: Path | None = None,
    about: dict[str, Any] | None = None,
    on_round: Callable[[], object] = lambda: None,
) -> Weights:
    """Trains over shops that are all in this process.

    Args:
        model: What is trained, from its initial weights.
        load: Number of a shop, from 0, to its model and rows.
        shops: How many there are.
        settings: Of the run; only where they are not secure do shops answer openly.
        folder: As of `run_rounds`, like `about`.
        about: See there.
        on_round: Called once for each round, also for those that `folder` holds.

    Raises:
        FederatedError: As of `run_rounds`.
    """
    app = client_app(lambda context: load(int(str(context.node_config[SHOP]))))
    grid = InProcessGrid(app, shops, {} if settings.secure else {"aggregation": PLAIN})
    counted = 0

    def count(number: int, _weights: Weights) -> None:
        nonlocal counted
        for _ in range(number - counted):
            on_round()
        counted = number

    return run_rounds(grid, model.initial(), settings, folder=folder, about=about, on_round=count)
