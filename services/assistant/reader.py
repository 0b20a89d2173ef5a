"""Reads what customers write, by the NLU service."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.assistant.domain import Language, Message, Named, Vector
from services.assistant.matching import ENCODER_LANGUAGES
from shared.errors import UnavailableError, WhereforeError
from shared.peer import Peer
from shared.text.language import detect_language, primary_language
from wherefore.common.v1.vector_pb2 import Vector as TextVector
from wherefore.nlu.v1.nlu_service_pb2 import (
    TEXT_ROLE_QUERY,
    EmbedRequest,
    EmbedResponse,
    ParseBatchRequest,
    ParseRequest,
    ParseResponse,
)
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub
from wherefore.nlu.v1.query_understanding_pb2 import (
    INTENT_TYPE_SUPPORT,
    EntityType,
    IntentType,
    QueryUnderstanding,
)

_SERVICE: Final = "wherefore.nlu.v1.NluService"
_BATCH: Final = 64


@dataclass(frozen=True, slots=True)
class Reading:
    """A message as read; `query` is what retrieval takes, and `lost` what was not to be had."""

    message: Message
    query: QueryUnderstanding | None
    lost: tuple[tuple[str, WhereforeError], ...] = ()


class NluReader:
    """Asks the NLU service.

    Args:
        target: HOST:PORT of it.
        timeout: Seconds of a call.
    """

    def __init__(self, target: str, timeout: float) -> None:
        self._nlu = Peer("nlu", _SERVICE, target, "assistant.nlu")
        self._stub = NluServiceStub(self._nlu.channel)
        self._timeout = timeout
        self._models: dict[Language, str] = {}
        self._tell: Callable[[Language, str], None] = lambda _language, _model: None

    def tell_other_models(self, tell: Callable[[Language, str], None]) -> None:
        """Has `tell` called with a language and the model that the NLU has for it by now."""
        self._tell = tell

    def take(self, language: Language, model: str) -> None:
        """From now on a model's vectors are good, and those of the one before are not."""
        self._models[language] = model

    async def read(self, text: str, language: str = "") -> Reading:
        """Reads one message. Never fails: what is lost is told.

        Args:
            text: As written, checked.
            language: BCP-47; told from the text when empty.
        """
        spoken = language_of(text, language)
        try:
            parsed = await self._parse(text, language)
        except WhereforeError as error:
            lost = ("nlu", error), ("nlu.embedding", error)
            return Reading(to_message(text, spoken, None, None), None, lost)
        query = parsed.understanding
        # It comes with the reading where the reader is the model of the examples. A second call at
        # the same time would wait for the first one's model.
        vector = self._told(spoken, parsed.reading_vector)
        if vector is None:
            try:
                vector = await self._vector(text, spoken)
            except WhereforeError as error:
                message = to_message(text, spoken, query, None)
                return Reading(message, query, (("nlu.embedding", error),))
        return Reading(to_message(text, spoken, query, vector), query)

    async def read_all(self, texts: Sequence[tuple[Language, str]]) -> list[Message]:
        """Reads texts in a batch, all of them whole.

        Args:
            texts: Language and text, checked.

        Raises:
            WhereforeError: The service does not answer, or not in time.
        """
        vectors: dict[tuple[Language, str], Vector] = {}
        for spoken in ENCODER_LANGUAGES:
            own = [text for language, text in texts if language == spoken]
            found_here = await self.vectors(own, spoken)
            vectors |= {(spoken, t): v for t, v in zip(own, found_here, strict=True)}
        found: list[Message] = []
        for start in range(0, len(texts), _BATCH):
            part = texts[start : start + _BATCH]
            request = ParseBatchRequest(
                requests=[
                    ParseRequest(
                        query=text, language_code=language, keep_spelling=True, skip_vector=True
                    )
                    for language, text in part
                ]
            )
            seconds = self._timeout * max(1, len(part) // 4)
            response = await self._nlu.ask(self._stub.ParseBatch, request, seconds)
            if len(response.responses) != len(part):
                raise UnavailableError("nlu sent another number of readings")
            found += [
                to_message(
                    text,
                    language,
                    each.understanding,
                    vectors.get((language, text)),
                )
                for (language, text), each in zip(part, response.responses, strict=True)
            ]
        return found

    async def vectors(self, texts: Sequence[str], language: Language) -> list[Vector]:
        """Returns unit vectors of texts of one language.

        Raises:
            WhereforeError: The service does not answer, or not in time; or its model is no longer
                the one that gave the vectors before.
        """
        found: list[Vector] = []
        models: set[str] = set()
        for start in range(0, len(texts), _BATCH):
            request = _embed(texts[start : start + _BATCH], language)
            # A batch is no answer to anybody who waits: it gets the time of its texts.
            seconds = self._timeout * max(1, len(request.texts) // 4)
            response = await self._nlu.ask(self._stub.Embed, request, seconds)
            if len(response.vectors) != len(request.texts):
                raise UnavailableError("nlu sent another number of vectors")
            self._check_model(language, response)
            models |= {vector.model for vector in response.vectors}
            if len(models) > 1:
                raise UnavailableError(f"vectors are by {' and '.join(sorted(models))}")
            found += [_unit(list(vector.values)) for vector in response.vectors]
        return found

    def _check_model(self, language: Language, response: EmbedResponse) -> None:
        """Keeps vectors of one model apart from those of another that the NLU may have by now."""
        model = response.vectors[0].model if response.vectors else ""
        known = self._models.setdefault(language, model)
        if model != known:
            self._tell(language, model)
            raise UnavailableError(f"vectors are by {model}, those of the examples by {known}")

    async def close(self) -> None:
        """Closes the channel."""
        await self._nlu.close()

    async def _parse(self, text: str, language: str) -> ParseResponse:
        request = ParseRequest(
            query=text, language_code=language, keep_spelling=True, reading_vector=True
        )
        return await self._nlu.ask(self._stub.Parse, request, self._timeout)

    def _told(self, language: Language, vector: TextVector) -> Vector | None:
        if not vector.values or vector.model != self._models.get(language):
            return None
        return _unit(list(vector.values))

    async def _vector(self, text: str, language: Language) -> Vector | None:
        if language not in ENCODER_LANGUAGES:
            return None
        request = _embed([text], language)
        response = await self._nlu.ask(self._stub.Embed, request, self._timeout)
        if len(response.vectors) != 1:
            raise UnavailableError("nlu sent another number of vectors")
        self._check_model(language, response)
        return _unit(list(response.vectors[0].values))


def _embed(texts: Sequence[str], language: Language) -> EmbedRequest:
    # English is what the model of the index reads, too.
    code = "" if language == "en" else language
    return EmbedRequest(texts=texts, role=TEXT_ROLE_QUERY, language_code=code)


def language_of(text: str, language: str = "") -> Language:
    """Returns "zh" or "en": as the caller says, else as the text is written."""
    code = primary_language(language) if language else detect_language(text)[0]
    return "zh" if code == "zh" else "en"


def to_message(
    text: str, language: Language, query: QueryUnderstanding | None, vector: Vector | None
) -> Message:
    """Returns what the assistant knows of a message."""
    if query is None:
        return Message(text, language, vector=vector)
    intents = [query.intent, *query.alternative_intents]
    return Message(
        text,
        language,
        IntentType.Name(query.intent.type).removeprefix("INTENT_TYPE_").lower(),
        {
            each.label: each.confidence
            for each in intents
            if each.type == INTENT_TYPE_SUPPORT and each.label
        },
        vector,
        tuple(
            Named(
                EntityType.Name(each.type).removeprefix("ENTITY_TYPE_").lower(),
                each.text,
                each.normalized,
            )
            for each in query.entities
            if not each.negated
        ),
    )


def _unit(values: Sequence[float]) -> Vector:
    vector = np.asarray(values, dtype=np.float32)
    return vector / max(float(np.linalg.norm(vector)), 1e-9)
