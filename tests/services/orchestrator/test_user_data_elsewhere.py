"""Erasure and export reach customer service and opinion monitoring, all over real ports."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from services.insight.messages import time_message
from tests.services.assistant.peers import Nlu, Retrieval, peers
from tests.services.assistant.serving import caught_up
from tests.services.insight.serving import ingest, running
from tests.services.orchestrator.conftest import serve
from tests.services.orchestrator.test_user_data import exported, purge, write
from wherefore.assistant.v1 import assistant_service_pb2 as assistant_pb
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.insight.v1.opinion_pb2 import Post

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANN = UserContext(user_id="ann")
NOBODY = "127.0.0.1:1"


@asynccontextmanager
async def suite(folder: Any) -> AsyncIterator[SimpleNamespace]:
    """An orchestrator with both services beside it."""
    async with (
        peers(Nlu({"cancel": "cancel_order"}, "Lumoria"), Retrieval([])) as targets,
        caught_up(folder / "assistant", targets) as assistant,
        running(folder / "insight") as (server, insight),
        serve(
            folder / "orchestrator",
            assistant_target=assistant.target,
            insight_target=f"127.0.0.1:{server.port}",
        ) as shop,
    ):
        yield SimpleNamespace(shop=shop, assistant=assistant, insight=insight)


async def ask(assistant: Any, conversation: str, **user: str) -> None:
    request = assistant_pb.AskRequest(
        question="cancel my order", conversation_id=conversation, user=UserContext(**user)
    )
    await assistant.Ask(request)


def post(name: str, user: str) -> Post:
    return Post(
        id=name, event_time=time_message(1_790_000_000_000), text=f"{name} is fine", user_id=user
    )


async def test_a_user_is_handed_out_and_erased_everywhere(tmp_path) -> None:
    async with suite(tmp_path) as all_of_it:
        shop, assistant, insight = all_of_it.shop, all_of_it.assistant, all_of_it.insight
        await write(shop, "ann", session_id="visit-ann")
        await ask(assistant, "c1", user_id="ann")
        await ask(assistant, "c2", session_id="visit-ann")
        await ask(assistant, "c3", user_id="bob")
        await assistant.RecordAnswer(
            assistant_pb.RecordAnswerRequest(
                question="do you sharpen knives",
                verdict=assistant_pb.VERDICT_CORRECTED,
                answer="No.",
                user=ANN,
            )
        )
        await ingest(insight, [post("t1", "ann"), post("t2", "bob"), post("t3", "ann")])
        parts = await exported(shop)
        assert sum(len(part.events) for part in parts) == 1
        said = {each.conversation_id for part in parts for each in part.conversations}
        assert said == {"c1", "c2"}
        assert [each.question for p in parts for each in p.learnt] == ["do you sharpen knives"]
        assert [each.id for part in parts for each in part.texts] == ["t1", "t3"]
        assert not parts[-1].degraded
        gone = await purge(shop, user_id="ann")
        assert gone.erased_count == 1
        assert (gone.conversation_count, gone.learnt_count, gone.text_count) == (2, 1, 2)
        parts = await exported(shop)
        assert not any(p.events or p.conversations or p.learnt or p.texts for p in parts)
        other = await exported(shop, UserContext(user_id="bob"))
        assert [each.conversation_id for p in other for each in p.conversations] == ["c3"]
        assert [each.id for part in other for each in part.texts] == ["t2"]
        again = await purge(shop, user_id="ann")
        assert (again.conversation_count, again.learnt_count, again.text_count) == (0, 0, 0)


async def test_a_visitor_is_erased_by_the_visit(tmp_path) -> None:
    async with suite(tmp_path) as all_of_it:
        await ask(all_of_it.assistant, "c1", session_id="visit")
        gone = await purge(all_of_it.shop, session_id="visit")
        assert gone.conversation_count == 1


@pytest.mark.parametrize("lost", ["assistant_target", "insight_target"])
async def test_while_one_does_not_answer_nothing_is_erased_here_and_it_is_told(
    tmp_path, lost: str
) -> None:
    async with serve(tmp_path, **{lost: NOBODY}) as shop:
        await write(shop, "ann")
        parts = await exported(shop)
        assert sum(len(part.events) for part in parts) == 1
        (told,) = parts[-1].degraded
        assert told.stage == lost.removesuffix("_target")
        assert told.fallback
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await purge(shop, user_id="ann")
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "send it again" in (caught.value.details() or "")
        assert sum(len(part.events) for part in await exported(shop)) == 1
