"""The gRPC face of the assistant: proto <-> domain, nothing else."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from functools import cache, partial
from typing import Any, Final

import grpc.aio

from services.assistant import validation
from services.assistant.archive import Archive
from services.assistant.assistant import Assistant
from services.assistant.catalogue import Catalogue
from services.assistant.config import Settings
from services.assistant.conversations import Conversations
from services.assistant.help import read_help
from services.assistant.knowledge import Knowledge
from services.assistant.learner import Learner
from services.assistant.learnt import Learnt, Source, learn
from services.assistant.learnt_server import LearntServer
from services.assistant.matching import read_weights
from services.assistant.messages import to_answer
from services.assistant.reader import NluReader
from services.assistant.store import LearntStore
from services.assistant.templates import read_templates
from services.assistant.user_data_server import UserDataServer
from shared.degradation import cause_of, degradation
from shared.errors import InvalidArgumentError, UnavailableError, WhereforeError
from shared.privacy.actors import actor_of
from shared.privacy.sealing import read_or_make_keys
from shared.request_context import current_caller
from shared.timing import StageTimer
from wherefore.assistant.v1 import assistant_service_pb2 as pb
from wherefore.assistant.v1 import assistant_service_pb2_grpc as pb_grpc
from wherefore.assistant.v1.learnt_service_pb2_grpc import add_LearntServiceServicer_to_server
from wherefore.assistant.v1.user_data_service_pb2_grpc import (
    add_UserDataServiceServicer_to_server,
)
from wherefore.common.v1.diagnostics_pb2 import (
    DEGRADATION_CAUSE_UNAVAILABLE,
    Degradation,
    RowError,
)

_PACKAGE: Final = "wherefore.assistant.v1"
FALLBACKS: Final = {
    "nlu": "words of the message alone",
    "nlu.embedding": "words instead of vectors",
    "retrieval": "a person",
    "reason": "a person",
    "assistant.conversation": "remembered until this process ends",
}
_MOST_ERRORS: Final = 1_000
_SOURCES: Final = {
    pb.VERDICT_ACCEPTED: Source.ACCEPTED,
    pb.VERDICT_CORRECTED: Source.CORRECTED,
}
_Context = grpc.aio.ServicerContext[Any, Any]


class AssistantServer(pb_grpc.AssistantServiceServicer):
    """Serves `AssistantService`, for one tenant.

    Ready once what was learnt is open. Without the services that it asks it answers by words, or
    passes to a person, and says so.
    """

    service_names: Sequence[str] = tuple(
        f"{_PACKAGE}.{name}" for name in ("AssistantService", "LearntService", "UserDataService")
    )

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._conversations = Conversations(
            Archive(settings.data_dir),
            settings.most_conversations,
            settings.conversation_seconds,
        )
        self._knowledge = Knowledge(
            read_templates(settings.templates_file),
            read_help(settings.help_file),
            read_weights(settings.weights_file),
        )
        self._store = LearntStore(settings.data_dir, settings.most_learnt)
        self._opened: tuple[Assistant, Learner, NluReader, Catalogue] | None = None

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the services to a server."""
        pb_grpc.add_AssistantServiceServicer_to_server(self, server)

        def learner() -> Learner:
            return self._started()[1]

        add_LearntServiceServicer_to_server(LearntServer(self._knowledge, learner), server)
        add_UserDataServiceServicer_to_server(UserDataServer(self._conversations, learner), server)

    async def start(self) -> None:
        """Opens what was learnt, conversations, and the channels.

        Raises:
            UnavailableError: A file cannot be read, or another process has it.
            ValueError: The key file is not the one that they were written with, or is none.
        """
        settings = self._settings
        if self._opened is None:
            reader = NluReader(settings.nlu_target, settings.nlu_seconds)
            products = Catalogue(
                settings.retrieval_target, settings.reason_target, settings.product_seconds
            )
            learner = Learner(self._knowledge, self._store, reader)
            self._opened = Assistant(self._knowledge, reader, products), learner, reader, products
        # Read in a thread, once the folder is this process's, and then the same for both files.
        keys = cache(partial(read_or_make_keys, settings.keys))
        await self._opened[1].open(keys)
        await self._conversations.open(await asyncio.to_thread(keys))

    @property
    def knowledge(self) -> Knowledge:
        """What it knows."""
        return self._knowledge

    async def caught_up(self) -> None:
        """Returns once the vectors of all known questions are there."""
        await self._started()[1].caught_up()

    async def check_ready(self) -> None:
        """Raises until it has started."""
        self._started()

    async def close(self) -> None:
        """Closes the files and the channels."""
        await self._conversations.close()
        if self._opened is not None:
            _, learner, reader, products = self._opened
            await learner.close()
            await reader.close()
            await products.close()

    async def Ask(self, request: pb.AskRequest, context: _Context) -> pb.AskResponse:  # noqa: N802
        """Answers one message; see assistant_service.proto."""
        return await self._answer(request)

    async def Converse(  # noqa: N802
        self, request_iterator: AsyncIterator[pb.ConverseRequest], context: _Context
    ) -> AsyncIterator[pb.ConverseResponse]:
        """Answers messages as they come; see assistant_service.proto."""
        before = pb.AskRequest()
        async for each in request_iterator:
            request = each.request
            if not request.conversation_id:
                request.conversation_id = before.conversation_id
            if not request.HasField("user"):
                request.user.CopyFrom(before.user)
            if not request.language_code:
                request.language_code = before.language_code
            try:
                response = await self._answer(request)
            except InvalidArgumentError as error:
                raise error.below("request") from error
            before.CopyFrom(request)
            before.conversation_id = response.conversation_id
            yield pb.ConverseResponse(response=response)

    async def ImportDialogues(  # noqa: N802
        self, request_iterator: AsyncIterator[pb.ImportDialoguesRequest], context: _Context
    ) -> AsyncIterator[pb.ImportDialoguesResponse]:
        """Learns from dialogues; see assistant_service.proto."""
        learner = self._started()[1]
        told = pb.ImportDialoguesResponse()
        shown = 0
        async for request in request_iterator:
            validation.check_dialogues(request)
            examples: list[Learnt] = []
            errors: list[RowError] = []
            for row, dialogue in enumerate(request.dialogues, start=told.acknowledged_row + 1):
                try:
                    examples.append(_to_learn(dialogue))
                except InvalidArgumentError as error:
                    fault = error.violations[0]
                    errors.append(RowError(row=row, field=fault.field, reason=fault.description))
            changed = await learner.learn(examples)
            told.acknowledged_row += len(request.dialogues)
            told.imported_count += changed
            told.unchanged_count += len(examples) - changed
            told.failed_count += len(errors)
            del told.errors[:]
            told.errors.extend(errors[: _MOST_ERRORS - shown])
            shown += len(told.errors)
            yield told

    async def RecordAnswer(  # noqa: N802
        self, request: pb.RecordAnswerRequest, context: _Context
    ) -> pb.RecordAnswerResponse:
        """Learns from a verdict; see assistant_service.proto."""
        learner = self._started()[1]
        validation.check_verdict(request, known=self._knowledge.knows(request.answer_id))
        own = self._knowledge.own_answer(request.answer_id)
        example = learn(
            request.question,
            # An answer of its own is kept with each question, so that none hangs on another.
            own.answer if own else request.answer,
            answer_id="" if own else request.answer_id,
            language=request.language_code,
            source=_SOURCES[request.verdict],
            learnt_by=current_caller().name,
            asker=actor_of(request.user.user_id, request.user.session_id),
        )
        changed = await learner.learn([example])
        return pb.RecordAnswerResponse(answer_id=example.answer_id, unchanged=not changed)

    async def EndConversation(  # noqa: N802
        self, request: pb.EndConversationRequest, context: _Context
    ) -> pb.EndConversationResponse:
        """Forgets a conversation; see assistant_service.proto."""
        validation.check_end(request)
        found = await self._conversations.end(request.user.user_id, request.conversation_id)
        return pb.EndConversationResponse(found=found)

    async def _answer(self, request: pb.AskRequest) -> pb.AskResponse:
        validation.check_ask(request)
        assistant = self._started()[0]
        user, given = request.user, request.conversation_id or uuid.uuid4().hex
        actor = actor_of(user.user_id, user.session_id)
        timer = StageTimer()
        async with self._conversations.hold(user.user_id, actor, given) as conversation:
            heard = await assistant.answer(
                request.question.strip(), conversation, timer, request.language_code
            )
            try:
                with timer.stage("assistant.remember"):
                    await self._conversations.keep(conversation)
            except UnavailableError as error:
                heard.lost.append(("assistant.conversation", error))
        lost = [_lost(stage, error) for stage, error in heard.lost]
        if self._knowledge.waits_for_vectors(heard.reply.language):
            lost.append(_no_vectors())
        return pb.AskResponse(
            answer=to_answer(heard.reply),
            conversation_id=conversation.conversation_id,
            timings=timer.timings(),
            degraded=lost,
        )

    def _started(self) -> tuple[Assistant, Learner, NluReader, Catalogue]:
        if self._opened is None:
            message = "not started yet"
            raise RuntimeError(message)
        return self._opened


def _to_learn(dialogue: pb.Dialogue) -> Learnt:
    found = [
        *validation.language_violations(dialogue.language_code),
        *validation.user_violations(dialogue.user_id, "user_id"),
    ]
    if found:
        raise InvalidArgumentError(*found)
    if not dialogue.answer.strip():
        raise InvalidArgumentError.of("answer", "must not be empty")
    return learn(
        dialogue.question,
        dialogue.answer,
        language=dialogue.language_code,
        source=Source.DIALOGUE,
        learnt_by=current_caller().name,
        asker=actor_of(dialogue.user_id, ""),
    )


def _lost(stage: str, error: WhereforeError) -> Degradation:
    return degradation(stage, cause_of(error), fallback=FALLBACKS[stage], detail=error.message)


def _no_vectors() -> Degradation:
    return degradation(
        "assistant.vectors",
        DEGRADATION_CAUSE_UNAVAILABLE,
        fallback="words instead of vectors",
        detail="the vectors of the known questions are being read",
    )
