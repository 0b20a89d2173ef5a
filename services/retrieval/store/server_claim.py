"""A claim on a Qdrant server: one process at a time changes which collection answers.

It is a point beside the document of the products, which Qdrant writes only where nobody else has it
(conditional updates, from Qdrant 1.16 on). It is renewed while the work goes on, so that what a
dead process leaves runs out by itself.
"""

import socket
import threading
import time
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Final

import structlog
from qdrant_client import QdrantClient, models

from services.retrieval.store.server_errors import translate_errors
from shared.errors import AbortedError, WhereforeError

SECONDS: Final = 60.0
"""How long a claim holds that is not renewed. Clocks of replicas must agree much better."""
_POINT: Final = 2
_RENEWALS: Final = 6
"""In that time."""
_RESERVE: Final = 1 / 3
"""Share of the time that must be left: what is begun under a claim is to end under it."""
_OWNER, _HOST, _UNTIL = "owner", "host", "until"
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class ServerClaim:
    """See `Claim`. Made anew for each change of the index.

    Args:
        client: To the server.
        meta: Collection that holds it.
        seconds: How long it holds without being renewed.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        client: QdrantClient,
        meta: str,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._meta = meta
        self._seconds = seconds
        self._clock = clock
        self._owner = uuid.uuid4().hex
        self._until = 0.0

    @property
    def held(self) -> bool:
        """See `Claim`."""
        return self._clock() < self._until - self._seconds * _RESERVE

    @contextmanager
    def taken(self) -> Generator["ServerClaim"]:
        """Takes it, renews it in a thread, and gives it back at the end.

        Raises:
            AbortedError: Another process has it.
            UnavailableError: The server does not answer.
        """
        self.renew()
        ended = threading.Event()
        renewing = threading.Thread(
            target=self._keep_renewing, args=(ended,), name="index-claim", daemon=True
        )
        renewing.start()
        try:
            yield self
        finally:
            ended.set()
            renewing.join()
            with suppress(WhereforeError):  # it runs out by itself
                self._give_back()

    @translate_errors
    def renew(self) -> None:
        """Writes it where nobody else has it.

        Raises:
            AbortedError: Another process has it.
            UnavailableError: The server does not answer.
        """
        now = self._clock()
        until = now + self._seconds
        payload = {_OWNER: self._owner, _HOST: socket.gethostname(), _UNTIL: until}
        self._client.upsert(
            self._meta,
            [models.PointStruct(id=_POINT, vector={}, payload=payload)],
            wait=True,
            # One after another on all copies; and read from most of them.
            ordering=models.WriteOrdering.STRONG,
            update_filter=models.Filter(
                should=[
                    self._ours(),
                    models.FieldCondition(key=_UNTIL, range=models.Range(lt=now)),
                ]
            ),
        )
        found = self._client.retrieve(
            self._meta,
            [_POINT],
            with_payload=True,
            consistency=models.ReadConsistencyType.MAJORITY,
        )
        holder = (found[0].payload if found else None) or {}
        if holder.get(_OWNER) != self._owner:
            self._until = 0.0
            raise AbortedError(
                f"another re-indexing is under way on {holder.get(_HOST, 'another replica')}: wait"
                f" until it is done; what a dead one leaves runs out after {self._seconds:.0f} s"
            )
        self._until = until

    def _keep_renewing(self, ended: threading.Event) -> None:
        while not ended.wait(self._seconds / _RENEWALS):
            try:
                self.renew()
            except AbortedError as error:
                _log.warning("index_claim_lost", reason=error.message)
                return
            except WhereforeError as error:
                _log.warning("index_claim_not_renewed", reason=error.message)

    @translate_errors
    def _give_back(self) -> None:
        self._until = 0.0
        ours = models.Filter(must=[self._ours(), models.HasIdCondition(has_id=[_POINT])])
        self._client.delete(
            self._meta,
            models.FilterSelector(filter=ours),
            wait=True,
            ordering=models.WriteOrdering.STRONG,
        )

    def _ours(self) -> models.FieldCondition:
        return models.FieldCondition(key=_OWNER, match=models.MatchValue(value=self._owner))
