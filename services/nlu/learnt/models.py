"""Which model does what: opened once, shared by everything that asks it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from services.nlu.learnt.attribution import MatchAttributor
from services.nlu.learnt.cross import CrossEncoder
from services.nlu.learnt.port import QueryModel, Reading, Readings
from services.nlu.learnt.reader import TransformerReader
from services.nlu.learnt.versions import FollowingReader
from shared.errors import UnavailableError
from shared.inference import (
    InferenceSettings,
    ModelTextEncoder,
    TensorModel,
    TextEncoder,
    open_model,
)
from shared.inference.encoder import VECTORS

_Pairs = TypeVar("_Pairs", CrossEncoder, MatchAttributor)

DEFAULT_LANGUAGE = "en"
"""Reads what no model of its own reads: product names are English everywhere."""


@dataclass(frozen=True)
class Models:
    """The models of the service.

    Attributes:
        encoder: Vectors of documents and of pairs.
        vectors: Vectors of queries, by the same version of the same model as `encoder`'s.
        readers: Readers by language; the same object as `vectors` where one pass gives both.
        cross: Reads pairs together; None where there is no such model.
        attributor: Says what each word did to what `cross` answers; None likewise.
    """

    encoder: TextEncoder
    vectors: QueryModel
    readers: Mapping[str, QueryModel] = field(default_factory=lambda: {})
    cross: CrossEncoder | None = None
    attributor: MatchAttributor | None = None

    def reader(self, language_code: str) -> QueryModel | None:
        """Returns the reader of a language, else that of English; None without any."""
        return self.readers.get(language_code) or self.readers.get(DEFAULT_LANGUAGE)

    def vectors_in(self, language_code: str) -> QueryModel | None:
        """Returns what gives vectors of a language's texts that compare with one another.

        It is the reader of the language, by the version that it began with; None where none reads
        it, or its model has no vectors.
        """
        reader = self.readers.get(language_code)
        chosen = reader.first if isinstance(reader, FollowingReader) else reader
        return chosen if chosen is not None and VECTORS in chosen.heads else None

    @property
    def following(self) -> list[FollowingReader]:
        """The readers that move on to newer versions."""
        return [item for item in self.readers.values() if isinstance(item, FollowingReader)]

    async def close(self) -> None:
        """Closes all of them."""
        for item in (*self.readers.values(), self.vectors, self.encoder):
            await item.close()
        for item in (self.cross, self.attributor):
            if item is not None:
                await item.close()


class EncoderReader:
    """A `QueryModel` whose one head is the vector of a `TextEncoder`."""

    heads = (VECTORS,)

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder

    @property
    def model(self) -> str:
        """See `QueryModel.model`."""
        return self._encoder.model

    async def read(self, texts: Sequence[str]) -> Readings:
        """See `QueryModel.read`."""
        encoded = await self._encoder.encode(texts)
        # Copies, or each vector would keep its whole batch alive in a cache.
        readings = [Reading(vector=vector.copy()) for vector in encoded.vectors]
        return Readings(self.model, readings, encoded.queue_nanos, encoded.inference_nanos)

    async def check_ready(self) -> None:
        """See `QueryModel.check_ready`."""
        await self._encoder.check_ready()

    async def close(self) -> None:
        """See `QueryModel.close`."""
        await self._encoder.close()


class AbsentReader:
    """A `QueryModel` whose files are not here: every text is answered by the reason."""

    heads = ()

    def __init__(self, model: str, reason: str) -> None:
        self.model = model
        self._reason = reason

    async def read(self, texts: Sequence[str]) -> Readings:
        """Raises UnavailableError."""
        raise UnavailableError(self._reason)

    async def check_ready(self) -> None:
        """Raises UnavailableError."""
        raise UnavailableError(self._reason)

    async def close(self) -> None:
        """Has nothing to let go of."""


def open_models(
    settings: InferenceSettings,
    query_models: Mapping[str, str],
    cross_model: str,
    attribution_model: str = "",
    *,
    follow: bool,
    encoder: TextEncoder | None = None,
) -> Models:
    """Opens the models. Nothing is connected before its use.

    Args:
        settings: The vector model, and what all models share.
        query_models: Language -> model that reads it.
        cross_model: The cross-encoder; "" for none.
        attribution_model: Its attributions; "" for none.
        follow: Whether readers move on to newer versions.
        encoder: Used for vectors instead of the settings' model.

    Raises:
        UnavailableError: The vector model's files were not made yet. A reader whose files are
            missing is lost, not an error: rules do without.
    """
    opened: dict[str, TensorModel] = {}
    pinned: dict[str, QueryModel] = {}

    def model_of(chosen: InferenceSettings) -> TensorModel:
        if chosen.model not in opened:
            opened[chosen.model] = open_model(chosen)
        return opened[chosen.model]

    def open_reader(name: str) -> QueryModel:
        chosen = _settings_of(settings, name)
        try:
            first = TransformerReader(model_of(chosen), chosen)
        except UnavailableError as error:
            return AbsentReader(f"{name}@{chosen.version}", str(error))
        pinned[name] = first

        def open_version(version: int) -> TransformerReader:
            other = chosen.model_copy(update={"version": version})
            return TransformerReader(open_model(other), other)

        return FollowingReader(first, chosen.version, open_version) if follow else first

    own = encoder or ModelTextEncoder(model_of(settings), settings)
    readers = {language: open_reader(name) for language, name in query_models.items()}
    # Where a reader gives the vectors too, they are asked of the version that the index was made
    # with, even when the reader itself has moved on.
    reader = pinned.get(settings.model) if encoder is None else None
    return Models(
        own,
        reader or EncoderReader(own),
        readers,
        _open_pairs(settings, cross_model, CrossEncoder),
        _open_pairs(settings, attribution_model, MatchAttributor),
    )


def _settings_of(settings: InferenceSettings, name: str) -> InferenceSettings:
    """Those of another model, which begins with its newest version here.

    Whether Triton serves that one shows at the first look; the vector model's version is stated.
    """
    if name == settings.model:
        return settings
    there = [path.parent.name for path in (settings.model_dir / name).glob("*/tokenizer.json")]
    version = max((int(item) for item in there if item.isdecimal()), default=1)
    return settings.model_copy(update={"model": name, "version": version})


def _open_pairs(
    settings: InferenceSettings,
    name: str,
    opener: Callable[[TensorModel, InferenceSettings], _Pairs],
) -> _Pairs | None:
    """Opens a model that reads pairs; None where its files are missing."""
    if not name:
        return None
    chosen = _settings_of(settings, name)
    try:
        return opener(open_model(chosen), chosen)
    except UnavailableError:
        return None
