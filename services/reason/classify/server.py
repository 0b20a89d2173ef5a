"""The gRPC face of classification: proto <-> domain, nothing else."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import Final, Protocol

import grpc
import numpy as np

from services.reason.classify import zero_shot
from services.reason.classify.features import texts_of
from services.reason.classify.meaning import text_of
from services.reason.classify.messages import classification_proto, model_proto
from services.reason.classify.trained import TrainedClassifier
from services.reason.classify.tree import Path
from services.reason.classify.validation import validate
from services.reason.classify.weights import load
from services.reason.classify.zero_shot import Matrix, Taxonomy
from shared.degradation import cause_of, degradation
from shared.errors import FailedPreconditionError, WhereforeError
from shared.text.analysis import warm_up
from shared.text.document import ENCODER_LANGUAGE, title_of
from shared.timing import StageTimer
from wherefore.common.v1.diagnostics_pb2 import Degradation
from wherefore.common.v1.product_pb2 import Product
from wherefore.reason.v1 import classification_service_pb2 as pb
from wherefore.reason.v1 import classification_service_pb2_grpc as pb_grpc

SERVICE_NAME = "wherefore.reason.v1.ClassificationService"
DEFAULT_ALTERNATIVES, DEFAULT_EVIDENCE = 3, 5
STAGE: Final = "nlu.embedding"
_TF_IDF: Final = "tf_idf"
_WORDS: Final = "words"
_BATCH: Final = 256
"""Texts of one call of the encoder."""
_KEPT: Final = 4
"""Taxonomies whose vectors are kept."""


class Encoder(Protocol):
    """Texts to unit rows and the model's name; raises WhereforeError."""

    async def encode(self, texts: Sequence[str]) -> tuple[Matrix, str]:
        """Returns unit rows, (texts, dimensions), and the model's name."""
        ...


class ClassificationServer(pb_grpc.ClassificationServiceServicer):
    """Serves `ClassificationService`.

    Args:
        model: File of the trained classifier; None for requests with a taxonomy alone.
        encoder: Gives the vectors of titles and categories.
    """

    def __init__(self, model: FilePath | None, encoder: Encoder) -> None:
        self._file = model
        self._encoder = encoder
        self._trained: TrainedClassifier | None = None
        self._taxonomies: OrderedDict[tuple[Path, ...], tuple[Taxonomy, Matrix | None]] = (
            OrderedDict()
        )

    async def start(self) -> None:
        """Reads the model before the first request needs it; without one, taxonomies still work.

        Raises:
            ModelFileError: It is damaged.
        """
        if self._file is not None and self._file.exists():
            self._trained = TrainedClassifier(await asyncio.to_thread(load, self._file))
        await asyncio.to_thread(warm_up)

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the service to a server."""
        pb_grpc.add_ClassificationServiceServicer_to_server(self, server)

    async def ClassifyProducts(  # noqa: N802  # the contract's name
        self,
        request: pb.ClassifyProductsRequest,
        context: grpc.aio.ServicerContext[pb.ClassifyProductsRequest, pb.ClassifyProductsResponse],
    ) -> pb.ClassifyProductsResponse:
        """Classifies products; see classification_service.proto."""
        validate(request)
        timer = StageTimer()
        if request.taxonomy:
            return await self._by_names(request, timer)
        if self._trained is None:
            raise FailedPreconditionError(
                "there is no trained classifier where WHEREFORE_REASON_CATEGORY_MODEL says: "
                "send a taxonomy, or train one with `wherefore train categories`"
            )
        return await self._by_model(self._trained, request, timer)

    async def _by_model(
        self, trained: TrainedClassifier, request: pb.ClassifyProductsRequest, timer: StageTimer
    ) -> pb.ClassifyProductsResponse:
        model, degraded = trained.model, list[Degradation]()
        calibration = model.calibration
        vectors: list[Matrix | None] = []
        texts = [text_of(texts_of(product)) for product in request.products]
        if model.meaning is not None and any(texts):
            try:
                with timer.stage(STAGE):
                    rows, name = await self._encode([text for text in texts if text])
                if name != model.meaning.encoder:
                    raise FailedPreconditionError(
                        f"the classifier reads vectors of {model.meaning.encoder}, "
                        f"the NLU service makes those of {name}"
                    )
                made = iter(rows)
                vectors = [next(made) if text else None for text in texts]
                calibration = model.meaning.calibration
            except WhereforeError as error:
                told = degradation(STAGE, cause_of(error), fallback=_WORDS, detail=str(error))
                degraded.append(told)
        with timer.stage("classify"):
            # A hundred long products take a second: other calls go on meanwhile.
            results = await asyncio.to_thread(
                trained.classify, request.products, *_limits(request), vectors
            )
        return pb.ClassifyProductsResponse(
            classifications=[classification_proto(result) for result in results],
            model=model_proto(model.name, len(model.tree.categories), calibration),
            timings=timer.timings(),
            degraded=degraded,
        )

    async def _by_names(
        self, request: pb.ClassifyProductsRequest, timer: StageTimer
    ) -> pb.ClassifyProductsResponse:
        paths = tuple(tuple(category.path) for category in request.taxonomy)
        degraded: list[Degradation] = []
        cosines: Matrix | None = None
        name = _TF_IDF
        taxonomy, rows = self._taxonomies.get(paths, (None, None))
        if taxonomy is None:
            taxonomy = await asyncio.to_thread(Taxonomy, paths)
        if any(ENCODER_LANGUAGE in product.titles for product in request.products):
            try:
                with timer.stage(STAGE):
                    if rows is None:
                        rows, _ = await self._encode(taxonomy.texts)
                    vectors, name = await self._encode(_titles(request.products))
                cosines = vectors @ rows.T
            except WhereforeError as error:
                told = degradation(STAGE, cause_of(error), fallback=_TF_IDF, detail=str(error))
                degraded.append(told)
        self._keep(paths, taxonomy, rows)
        with timer.stage("classify"):
            results = await asyncio.to_thread(
                zero_shot.classify, taxonomy, request.products, cosines, *_limits(request)
            )
        return pb.ClassifyProductsResponse(
            classifications=[classification_proto(result) for result in results],
            model=model_proto(f"zero_shot/{name}", len(paths), zero_shot.CALIBRATION),
            timings=timer.timings(),
            degraded=degraded,
        )

    async def _encode(self, texts: Sequence[str]) -> tuple[Matrix, str]:
        found: list[Matrix] = []
        name = ""
        for start in range(0, len(texts), _BATCH):
            rows, name = await self._encoder.encode(texts[start : start + _BATCH])
            found.append(rows)
        return np.concatenate(found), name

    def _keep(self, paths: tuple[Path, ...], taxonomy: Taxonomy, rows: Matrix | None) -> None:
        self._taxonomies[paths] = taxonomy, rows
        self._taxonomies.move_to_end(paths)
        while len(self._taxonomies) > _KEPT:
            self._taxonomies.popitem(last=False)


def _limits(request: pb.ClassifyProductsRequest) -> tuple[int, int]:
    return (
        request.max_alternatives or DEFAULT_ALTERNATIVES,
        request.max_evidence or DEFAULT_EVIDENCE,
    )


def _titles(products: Sequence[Product]) -> list[str]:
    return [title_of(product, ENCODER_LANGUAGE) for product in products]
