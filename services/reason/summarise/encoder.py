"""Vectors of sentences, by the NLU service."""

from collections.abc import Sequence
from typing import Final

import grpc.aio
import numpy as np

from services.reason.summarise.centrality import Matrix, unit_rows
from shared.breaker import CircuitBreaker
from shared.channel import open_channel
from shared.errors import CircuitOpenError, UnavailableError, error_from_rpc
from wherefore.nlu.v1.nlu_service_pb2 import TEXT_ROLE_DOCUMENT, EmbedRequest
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub

MAX_TEXTS: Final = 256
"""Texts of one call, as the NLU takes them."""
STAGE: Final = "nlu.embedding"
_SERVICE: Final = "wherefore.nlu.v1.NluService"


class SentenceEncoder:
    """Asks the NLU service for vectors; connects on the first call.

    Args:
        target: HOST:PORT of the service.
        timeout: Seconds of a call.
    """

    def __init__(self, target: str, timeout: float) -> None:
        self._target = target
        self._timeout = timeout
        self._channel: grpc.aio.Channel | None = None
        self._breaker = CircuitBreaker("nlu")

    async def encode(self, texts: Sequence[str]) -> tuple[Matrix, str]:
        """Returns unit rows, (texts, dimensions), and the model's name.

        Args:
            texts: 1 to MAX_TEXTS.

        Raises:
            WhereforeError: The service does not answer, or not in time.
        """
        if self._channel is None:  # here, since it belongs to the event loop that opens it
            self._channel = open_channel(self._target, wait_for_health_of=_SERVICE)
        if not self._breaker.allow():
            raise CircuitOpenError("nlu does not answer")
        request = EmbedRequest(texts=texts, role=TEXT_ROLE_DOCUMENT)
        try:
            response = await NluServiceStub(self._channel).Embed(request, timeout=self._timeout)
        except grpc.aio.AioRpcError as error:
            self._breaker.record_failure()
            raise error_from_rpc(error) from error
        self._breaker.record_success()
        if len(response.vectors) != len(texts):
            raise UnavailableError("nlu sent another number of vectors")
        rows = np.array([vector.values for vector in response.vectors], dtype=np.float64)
        return unit_rows(rows), response.vectors[0].model

    async def close(self) -> None:
        """Closes the channel."""
        if self._channel is not None:
            await self._channel.close()
