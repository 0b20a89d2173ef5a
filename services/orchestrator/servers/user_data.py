"""UserDataService: translates."""

from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from services.orchestrator.purposes import PURPOSES
from services.orchestrator.user_data import UserData
from services.orchestrator.validation import Violations
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1 import user_data_service_pb2 as pb
from wherefore.orchestrator.v1.user_data_service_pb2_grpc import UserDataServiceServicer

_Context = grpc.aio.ServicerContext[Any, Any]


class UserDataServer(UserDataServiceServicer):
    """Answers users about their data."""

    def __init__(self, data: UserData) -> None:
        self._data = data

    async def PurgeUser(  # noqa: N802 # the contract's name
        self, request: pb.PurgeUserRequest, context: _Context
    ) -> pb.PurgeUserResponse:
        """See the contract."""
        erased = await self._data.purge(_checked(request.user, Violations()))
        return pb.PurgeUserResponse(
            erased_count=erased.events,
            session_count=erased.sessions,
            conversation_count=erased.elsewhere.conversations,
            learnt_count=erased.elsewhere.learnt,
            text_count=erased.elsewhere.texts,
        )

    async def ExportUser(  # noqa: N802 # the contract's name
        self, request: pb.ExportUserRequest, context: _Context
    ) -> AsyncIterator[pb.ExportUserResponse]:
        """See the contract."""
        async for part in self._data.export(_checked(request.user, Violations())):
            yield pb.ExportUserResponse(
                events=part.events,
                profile=part.profile,
                refused_purposes=part.refused,
                degraded=part.degraded,
                conversations=part.conversations,
                learnt=part.learnt,
                texts=part.texts,
            )

    async def SetConsent(  # noqa: N802 # the contract's name
        self, request: pb.SetConsentRequest, context: _Context
    ) -> pb.SetConsentResponse:
        """See the contract."""
        found = Violations()
        if not set(request.refused_purposes) <= set(PURPOSES):
            found.add("refused_purposes", "name purposes: personalisation, analytics, training")
        user = _checked(request.user, found)
        refused = await self._data.refuse(user, request.refused_purposes)
        return pb.SetConsentResponse(refused_purposes=refused)


def _checked(user: UserContext, found: Violations) -> UserContext:
    found.user(user)
    if not user.user_id.strip() and not user.session_id.strip():
        found.add("user", "give user_id or session_id")
    found.raise_any()
    return user
