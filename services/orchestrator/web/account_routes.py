"""The route that tells which accounts a visitor may look as."""

from collections.abc import Callable, Sequence

from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.orchestrator.web.answering import answer
from shared.security.accounts import may_name

Accounts = Callable[[], Sequence[str]]
"""Returns the accounts that the page offers."""


def account_routes(behind: Callable[[], tuple[Accounts, float]]) -> list[Route]:
    """Returns the route, without a door.

    Args:
        behind: Returns what answers, and the seconds that an answer may take.
    """

    async def listed(_: Empty) -> Struct:
        accounts, _seconds = behind()
        told = Struct()
        told["accounts"] = [each for each in accounts() if may_name(each)]
        return told

    async def show(request: Request) -> Response:
        _accounts, seconds = behind()
        return await answer(request, Empty, listed, seconds)

    return [Route("/api/accounts", show, methods=["POST"])]
