"""Customer service and opinion monitoring behind the page: what its visitors ask is passed on."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from typing import TYPE_CHECKING, Final, TypeVar, cast

import grpc.aio

from shared.channel import Channels
from shared.errors import FailedPreconditionError, UnavailableError, error_from_rpc
from shared.stream_status import StreamStatus
from wherefore.assistant.v1 import assistant_service_pb2 as assistant_pb
from wherefore.assistant.v1.assistant_service_pb2_grpc import AssistantServiceStub
from wherefore.insight.v1 import insight_service_pb2 as insight_pb
from wherefore.insight.v1.insight_service_pb2_grpc import InsightServiceStub

if TYPE_CHECKING:  # the stubs of asyncio channels exist for type checkers only
    from wherefore.assistant.v1.assistant_service_pb2_grpc import AssistantServiceAsyncStub
    from wherefore.insight.v1.insight_service_pb2_grpc import InsightServiceAsyncStub

FOLLOW_SECONDS: Final = 900.0
"""How long a page follows alerts before it has to ask again."""
_A = TypeVar("_A")


class Applications:
    """Calls both services for the page.

    Args:
        assistant_target: HOST:PORT of customer service; empty for none.
        insight_target: HOST:PORT of opinion monitoring; empty for none.
        timeout_seconds: What a call may take, but for those that follow alerts.
    """

    def __init__(self, assistant_target: str, insight_target: str, timeout_seconds: float) -> None:
        self._timeout = timeout_seconds
        self._channels = Channels()
        self._following: set[grpc.aio.UnaryStreamCall[object, object]] = set()
        self._assistant_stub: AssistantServiceAsyncStub | None = None
        self._insight_stub: InsightServiceAsyncStub | None = None
        if assistant_target:
            channel = self._channels.open(
                assistant_target, "wherefore.assistant.v1.AssistantService"
            )
            self._assistant_stub = AssistantServiceStub(channel)
        if insight_target:
            channel = self._channels.open(insight_target, "wherefore.insight.v1.InsightService")
            self._insight_stub = InsightServiceStub(channel)

    async def converse(
        self, request: assistant_pb.ConverseRequest
    ) -> AsyncGenerator[assistant_pb.ConverseResponse]:
        """Sends one message of a conversation, and gives what is answered.

        Raises:
            WhereforeError: As it answered; FAILED_PRECONDITION where there is no customer service.
        """

        async def one() -> AsyncIterator[assistant_pb.ConverseRequest]:
            yield request

        call = self._assistant().Converse(one(), timeout=self._timeout)
        status = StreamStatus(call)
        try:
            async for response in call:
                yield response
        except grpc.aio.AioRpcError as raised:
            raise error_from_rpc(await status.behind(raised)) from raised
        finally:
            call.cancel()

    async def record_answer(
        self, request: assistant_pb.RecordAnswerRequest
    ) -> assistant_pb.RecordAnswerResponse:
        """Passes a verdict on; errors as of `converse`."""
        return await _answer(self._assistant().RecordAnswer(request, timeout=self._timeout))

    async def end_conversation(
        self, request: assistant_pb.EndConversationRequest
    ) -> assistant_pb.EndConversationResponse:
        """Has a conversation forgotten; errors as of `converse`."""
        return await _answer(self._assistant().EndConversation(request, timeout=self._timeout))

    async def ingest(self, request: insight_pb.IngestRequest) -> insight_pb.IngestResponse:
        """Passes texts on.

        Raises:
            WhereforeError: As it answered; FAILED_PRECONDITION where there is no monitoring.
        """

        async def one() -> AsyncIterator[insight_pb.IngestRequest]:
            yield request

        call = self._insight().Ingest(one(), timeout=self._timeout)
        status = StreamStatus(call)
        try:
            return await call
        except grpc.aio.AioRpcError as raised:
            raise error_from_rpc(await status.behind(raised)) from raised

    async def query_aggregates(
        self, request: insight_pb.QueryAggregatesRequest
    ) -> insight_pb.QueryAggregatesResponse:
        """Asks for counts; errors as of `ingest`."""
        return await _answer(self._insight().QueryAggregates(request, timeout=self._timeout))

    async def get_trend(self, request: insight_pb.GetTrendRequest) -> insight_pb.GetTrendResponse:
        """Asks where a series is going; errors as of `ingest`."""
        return await _answer(self._insight().GetTrend(request, timeout=self._timeout))

    async def list_alerts(
        self, request: insight_pb.ListAlertsRequest
    ) -> insight_pb.ListAlertsResponse:
        """Asks for alerts; errors as of `ingest`."""
        return await _answer(self._insight().ListAlerts(request, timeout=self._timeout))

    async def describe_domain(
        self, request: insight_pb.DescribeDomainRequest
    ) -> insight_pb.DescribeDomainResponse:
        """Asks for topics and labels; errors as of `ingest`."""
        return await _answer(self._insight().DescribeDomain(request, timeout=self._timeout))

    async def subscribe_alerts(
        self, request: insight_pb.SubscribeAlertsRequest
    ) -> AsyncGenerator[insight_pb.SubscribeAlertsResponse]:
        """Follows alerts; the stream ends when the service, or the time for it, does.

        Raises:
            WhereforeError: As it answered, before the first message; as of `ingest`.
        """
        call = self._insight().SubscribeAlerts(request, timeout=FOLLOW_SECONDS)
        followed = cast("grpc.aio.UnaryStreamCall[object, object]", call)
        self._following.add(followed)
        begun = False
        try:
            async for response in call:
                begun = True
                yield response
        except grpc.aio.AioRpcError as error:
            if not begun:
                raise error_from_rpc(error) from error
        except asyncio.CancelledError:
            if followed in self._following:  # the page went away; else this server stops
                raise
            if not begun:
                raise UnavailableError("stopping") from None
        finally:
            self._following.discard(followed)
            call.cancel()

    def end_following(self) -> None:
        """Ends the streams of alerts, for which a server that stops would else wait."""
        calls = list(self._following)
        self._following.clear()
        for call in calls:
            call.cancel()

    async def close(self) -> None:
        """Closes the channels."""
        await self._channels.close()

    def _assistant(self) -> "AssistantServiceAsyncStub":
        if self._assistant_stub is None:
            raise FailedPreconditionError("this suite has no customer service")
        return self._assistant_stub

    def _insight(self) -> "InsightServiceAsyncStub":
        if self._insight_stub is None:
            raise FailedPreconditionError("this suite has no opinion monitoring")
        return self._insight_stub


async def _answer(call: Awaitable[_A]) -> _A:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise error_from_rpc(error) from error
