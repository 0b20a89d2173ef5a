"""LearntService: translates."""

from collections.abc import Callable
from typing import Any

import grpc.aio

from services.assistant import validation
from services.assistant.knowledge import Knowledge
from services.assistant.learner import Learner
from services.assistant.messages import to_example
from shared.page_token import page_token, read_page_token
from shared.text.normalise import fold
from wherefore.assistant.v1 import learnt_service_pb2 as pb
from wherefore.assistant.v1.learnt_service_pb2_grpc import LearntServiceServicer

_Context = grpc.aio.ServicerContext[Any, Any]


class LearntServer(LearntServiceServicer):
    """Lists and deletes what was learnt.

    Args:
        knowledge: What is known.
        learner: Returns what forgets it, once started.
    """

    def __init__(self, knowledge: Knowledge, learner: Callable[[], Learner]) -> None:
        self._knowledge = knowledge
        self._learner = learner

    async def ListLearnt(  # noqa: N802 - the contract's name
        self, request: pb.ListLearntRequest, context: _Context
    ) -> pb.ListLearntResponse:
        """See learnt_service.proto."""
        size = validation.page_size(request)
        time, key = (0, "")
        if request.page_token:
            time, key = read_page_token(request.page_token)
        self._learner()  # raises until it has started
        wanted = fold(request.text)
        found = [
            each
            for each in self._knowledge.all_learnt()
            if (not request.page_token or (-each.learnt_ms, each.key) > (-time, key))
            and (not request.answer_id or each.answer_id == request.answer_id)
            and (not wanted or wanted in fold(each.question) or wanted in fold(each.answer))
        ]
        following = ""
        if found[size:]:
            last = found[size - 1]
            following = page_token(last.learnt_ms, last.key)
        return pb.ListLearntResponse(
            examples=map(to_example, found[:size]),
            next_page_token=following,
        )

    async def DeleteLearnt(  # noqa: N802 - likewise
        self, request: pb.DeleteLearntRequest, context: _Context
    ) -> pb.DeleteLearntResponse:
        """See learnt_service.proto."""
        validation.check_delete(request)
        return pb.DeleteLearntResponse(deleted_count=await self._learner().delete(request.ids))
