"""Calls an orchestrator from another network: `python -m tests.chaos.caller TARGET DEADLINE`.

Each line of standard input is the id of an event, which is written and then searched after; each
line of standard output says what became of one call, as JSON: "call", "id", "code" and "seconds",
of a search also how many "results" and which "degraded" stages.
"""

import asyncio
import json
import sys
import time

import grpc
import grpc.aio

from shared.channel import open_channel
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_VIEW, ProductDetail, UserEvent
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub


def write_request(event_id: str) -> UserEventServiceWriteRequest:
    """Returns what writes an event."""
    event = UserEvent(
        id=event_id,
        type=USER_EVENT_TYPE_VIEW,
        user_id="ann",
        products=[ProductDetail(product_id="p01")],
    )
    return UserEventServiceWriteRequest(event=event)


async def main(target: str, deadline: float) -> None:
    """Calls until standard input ends.

    Args:
        target: HOST:PORT.
        deadline: Seconds that each call may take.
    """
    async with open_channel(target) as channel:
        write, search = UserEventServiceStub(channel).Write, SearchServiceStub(channel).Search
        while event_id := (await asyncio.to_thread(sys.stdin.readline)).strip():
            for name, call, request in (
                ("write", write, write_request(event_id)),
                ("search", search, SearchRequest(query=f"cup {event_id}")),
            ):
                begun = time.monotonic()
                told: dict[str, object] = {"call": name, "id": event_id, "code": "OK"}
                try:
                    answer = await call(request, timeout=deadline)
                    if name == "search":
                        told["results"] = len(answer.results)
                        told["degraded"] = [each.stage for each in answer.degraded]
                except grpc.aio.AioRpcError as error:
                    told["code"] = error.code().name
                told["seconds"] = time.monotonic() - begun
                print(json.dumps(told), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
