"""What customer service and opinion monitoring keep of users, to be erased or handed out."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import grpc.aio

from shared.channel import Channels
from shared.errors import UnavailableError, WhereforeError, error_from_rpc
from wherefore.assistant.v1 import user_data_service_pb2 as assistant_pb
from wherefore.assistant.v1.user_data_service_pb2_grpc import UserDataServiceStub
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.insight.v1 import text_service_pb2 as insight_pb
from wherefore.insight.v1.text_service_pb2_grpc import TextServiceStub

if TYPE_CHECKING:  # the stubs of asyncio channels exist for type checkers only
    from wherefore.assistant.v1.user_data_service_pb2_grpc import UserDataServiceAsyncStub
    from wherefore.insight.v1.text_service_pb2_grpc import TextServiceAsyncStub

_SESSIONS: Final = 1_000
"""Visits that one call names."""
_SECONDS: Final = 60.0
"""What a call may take, within the deadline of whoever asks: much may be kept of one user."""


@dataclass(frozen=True, slots=True)
class ErasedElsewhere:
    """What both services erased."""

    conversations: int = 0
    learnt: int = 0
    texts: int = 0


class ApplicationsData:
    """Asks both services, where the suite has them.

    Args:
        assistant_target: HOST:PORT of customer service; empty for none.
        insight_target: HOST:PORT of opinion monitoring; empty for none.
    """

    def __init__(self, assistant_target: str, insight_target: str) -> None:
        self._channels = Channels()
        self._assistant: UserDataServiceAsyncStub | None = None
        self._insight: TextServiceAsyncStub | None = None
        if assistant_target:
            channel = self._channels.open(
                assistant_target, "wherefore.assistant.v1.UserDataService"
            )
            self._assistant = UserDataServiceStub(channel)
        if insight_target:
            channel = self._channels.open(insight_target, "wherefore.insight.v1.TextService")
            self._insight = TextServiceStub(channel)

    async def erase(self, user: UserContext, session_ids: Sequence[str]) -> ErasedElsewhere:
        """Erases what both keep of a user and of visits; safe to do again.

        Args:
            user: The user, or a visitor, as the caller names them.
            session_ids: Visits that are the user's.

        Raises:
            UnavailableError: One of them does not answer, and is named.
        """
        conversations = learnt = texts = 0
        if self._assistant is not None:
            for request in _erasures(user, session_ids):
                try:
                    erased = await self._assistant.EraseUser(request, timeout=_SECONDS)
                except grpc.aio.AioRpcError as error:
                    raise _not_erased("customer service", error) from error
                conversations += erased.conversation_count
                learnt += erased.learnt_count
        if self._insight is not None and user.user_id:
            wanted = insight_pb.EraseTextsRequest(user=_signed_in(user))
            try:
                texts = (await self._insight.EraseTexts(wanted, timeout=_SECONDS)).erased_count
            except grpc.aio.AioRpcError as error:
                raise _not_erased("opinion monitoring", error) from error
        return ErasedElsewhere(conversations, learnt, texts)

    async def said(
        self, user: UserContext, session_ids: Sequence[str]
    ) -> AsyncIterator[assistant_pb.ExportUserResponse]:
        """Yields what customer service keeps of a user and of visits.

        Raises:
            WhereforeError: As it answered.
        """
        if self._assistant is None:
            return
        for erasure in _erasures(user, session_ids):
            request = assistant_pb.ExportUserRequest(
                user=erasure.user, session_ids=erasure.session_ids
            )
            try:
                async for part in self._assistant.ExportUser(request, timeout=_SECONDS):
                    yield part
            except grpc.aio.AioRpcError as error:
                raise error_from_rpc(error) from error

    async def written(self, user: UserContext) -> AsyncIterator[insight_pb.ExportTextsResponse]:
        """Yields the texts of a user that opinion monitoring keeps.

        Raises:
            WhereforeError: As it answered.
        """
        if self._insight is None or not user.user_id:
            return
        request = insight_pb.ExportTextsRequest(user=_signed_in(user))
        try:
            async for part in self._insight.ExportTexts(request, timeout=_SECONDS):
                yield part
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error) from error

    async def close(self) -> None:
        """Closes the channels."""
        await self._channels.close()


def _erasures(
    user: UserContext, session_ids: Sequence[str]
) -> Iterable[assistant_pb.EraseUserRequest]:
    """Yields requests that name the user and all visits between them."""
    for at in range(0, max(len(session_ids), 1), _SESSIONS):
        yield assistant_pb.EraseUserRequest(user=user, session_ids=session_ids[at : at + _SESSIONS])


def _signed_in(user: UserContext) -> UserContext:
    return UserContext(user_id=user.user_id)


def _not_erased(name: str, error: grpc.aio.AioRpcError) -> WhereforeError:
    lost = error_from_rpc(error)
    return UnavailableError(f"{name} did not erase the user; send it again: {lost.message}")
