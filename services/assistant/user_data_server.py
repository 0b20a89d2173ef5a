"""UserDataService: translates."""

from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import grpc.aio

from services.assistant import validation
from services.assistant.conversations import Conversations
from services.assistant.learner import Learner
from services.assistant.messages import to_conversation, to_example
from wherefore.assistant.v1 import user_data_service_pb2 as pb
from wherefore.assistant.v1.user_data_service_pb2_grpc import UserDataServiceServicer

_EXAMPLES: Final = 500
_Context = grpc.aio.ServicerContext[Any, Any]


class UserDataServer(UserDataServiceServicer):
    """Erases and hands out what is kept of users.

    Args:
        conversations: What they said.
        learner: Returns what learnt from them, once started.
    """

    def __init__(self, conversations: Conversations, learner: Callable[[], Learner]) -> None:
        self._conversations = conversations
        self._learner = learner

    async def EraseUser(  # noqa: N802 - the contract's name
        self, request: pb.EraseUserRequest, context: _Context
    ) -> pb.EraseUserResponse:
        """See user_data_service.proto."""
        actors = validation.actors(request)
        return pb.EraseUserResponse(
            learnt_count=await self._learner().forget(actors),
            conversation_count=await self._conversations.forget(actors),
        )

    async def ExportUser(  # noqa: N802 - likewise
        self, request: pb.ExportUserRequest, context: _Context
    ) -> AsyncIterator[pb.ExportUserResponse]:
        """See user_data_service.proto."""
        actors = validation.actors(request)
        learnt = await self._learner().asked(actors)
        for at in range(0, len(learnt), _EXAMPLES):
            yield pb.ExportUserResponse(learnt=map(to_example, learnt[at : at + _EXAMPLES]))
        async for some in self._conversations.of(actors):
            yield pb.ExportUserResponse(conversations=map(to_conversation, some))
