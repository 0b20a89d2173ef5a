"""Vectors of sentences, by the NLU service."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from services.reason.summarise.centrality import Matrix, unit_rows
from shared.errors import UnavailableError
from shared.peer import Peer
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
        self._nlu: Peer | None = None

    async def encode(self, texts: Sequence[str]) -> tuple[Matrix, str]:
        """Returns unit rows, (texts, dimensions), and the model's name.

        Args:
            texts: 1 to MAX_TEXTS.

        Raises:
            WhereforeError: The service does not answer, or not in time.
        """
        if self._nlu is None:  # here, since it belongs to the event loop that makes it
            self._nlu = Peer("nlu", _SERVICE, self._target, "nlu")
        request = EmbedRequest(texts=texts, role=TEXT_ROLE_DOCUMENT)
        method = NluServiceStub(self._nlu.channel).Embed
        response = await self._nlu.ask(method, request, self._timeout)
        if len(response.vectors) != len(texts):
            raise UnavailableError("nlu sent another number of vectors")
        rows = np.array([vector.values for vector in response.vectors], dtype=np.float64)
        return unit_rows(rows), response.vectors[0].model

    async def close(self) -> None:
        """Closes the channel."""
        if self._nlu is not None:
            await self._nlu.close()
