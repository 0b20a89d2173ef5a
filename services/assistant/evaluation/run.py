"""Evaluates an assistant that is started for it, beside services that run."""

import tempfile
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from services.assistant.config import Settings
from services.assistant.domain import Language
from services.assistant.evaluation.cases import (
    Request,
    product_questions,
    read_chinese_requests,
    read_out_of_scope,
)
from services.assistant.evaluation.measure import (
    Grounded,
    OutOfScope,
    Requests,
    measure_out_of_scope,
    measure_products,
    measure_requests,
)
from services.assistant.knowledge import Knowledge
from services.assistant.reader import NluReader
from services.assistant.server import AssistantServer
from shared.channel import open_channel
from shared.server import start_server
from wherefore.assistant.v1 import assistant_service_pb2 as pb
from wherefore.assistant.v1.assistant_service_pb2_grpc import AssistantServiceStub
from wherefore.common.v1.product_pb2 import Product

if TYPE_CHECKING:
    from wherefore.assistant.v1.assistant_service_pb2_grpc import AssistantServiceAsyncStub

_CALL_SECONDS = 30.0
Progress = Callable[[int], AbstractContextManager[Callable[[int], None]]]


@dataclass(frozen=True, slots=True)
class SupportEvaluation:
    """All that was measured."""

    templates: int
    requests: Requests
    chinese: Requests
    out_of_scope: OutOfScope
    products: Grounded

    def as_json(self) -> dict[str, object]:
        """Returns the figures as JSON values."""
        return {
            "templates": self.templates,
            "requests_en": self.requests.as_json(),
            "requests_zh": self.chinese.as_json(),
            "out_of_scope": self.out_of_scope.as_json(),
            "products": self.products.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Targets:
    """HOST:PORT of the services that the assistant asks."""

    nlu: str
    retrieval: str
    reason: str


async def evaluate_support(
    targets: Targets,
    requests: Sequence[Request],
    products: Sequence[Product],
    progress: Progress,
) -> SupportEvaluation:
    """Evaluates the assistant with the bundled templates and articles.

    Args:
        targets: Services that run, with the catalogue imported.
        requests: Labelled requests, English.
        products: The catalogue.
        progress: Opens a display for so many questions; yields what to call after each.
    """
    chinese = read_chinese_requests()
    unanswered: list[tuple[Language, str]] = [
        (language, text) for part, language, text in read_out_of_scope() if part == "test"
    ]
    asked = product_questions(products)
    async with _served(targets) as (stub, server):
        reader = NluReader(targets.nlu, _CALL_SECONDS)
        knowledge = server.knowledge

        async def ask(request: pb.AskRequest) -> pb.AskResponse:
            return await stub.Ask(request, timeout=_CALL_SECONDS)

        async def rank_first(text: str, language: Language) -> str:
            return await _first(knowledge, reader, text, language)

        try:
            with progress(
                len(requests) + len(chinese) + len(unanswered) + len(asked)
            ) as on_question:
                english = await measure_requests(ask, requests, rank_first, on_question)
                other = await measure_requests(ask, chinese, rank_first, on_question)
                handed = await measure_out_of_scope(ask, unanswered, on_question)
                by_id = {each.id: each for each in products}
                grounded = await measure_products(ask, asked, by_id, on_question)
        finally:
            await reader.close()
    return SupportEvaluation(len(knowledge.templates.by_id), english, other, handed, grounded)


@asynccontextmanager
async def _served(
    targets: Targets,
) -> AsyncGenerator[tuple["AssistantServiceAsyncStub", AssistantServer]]:
    with tempfile.TemporaryDirectory(prefix="wherefore-assistant-") as folder:
        settings = Settings(
            port=0,
            metrics_port=0,
            data_dir=Path(folder),
            nlu_target=targets.nlu,
            retrieval_target=targets.retrieval,
            reason_target=targets.reason,
        )
        server = AssistantServer(settings)
        running = await start_server(server, settings)
        channel = open_channel(f"127.0.0.1:{running.port}", retry=False)
        try:
            await running.wait_ready(60)
            await server.caught_up()
            yield AssistantServiceStub(channel), server
        finally:
            await channel.close()
            await running.stop()


async def _first(knowledge: Knowledge, reader: NluReader, text: str, language: Language) -> str:
    """Returns the intent of the likeliest answer."""
    reading = await reader.read(text, language)
    matches = knowledge.match(reading.message)
    return max(matches, key=lambda each: each.confidence).intent
