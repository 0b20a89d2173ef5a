"""A model of reasons that hangs or is slow, behind the real reason service: answers stay whole."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import grpc
import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray

from services.reason import onnx_writer
from services.reason.config import Settings
from services.reason.server import ReasonServer
from services.reason.wording.served import SERVED_GRAPH, TOKENS
from services.reason.writer import VERSION_FOLDER
from shared.inference import InferenceSettings
from shared.inference.settings import REASON_MODEL, REPOSITORY
from shared.server import start_server
from tests.services.orchestrator.conftest import serve
from tests.services.reason.wording.conftest import HistoryEngine
from wherefore.common.v1.diagnostics_pb2 import DEGRADATION_CAUSE_DEADLINE
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest, SearchStreamRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.reason.v1.reason_pb2 import Generator

pytestmark = pytest.mark.asyncio(loop_scope="module")
DEADLINE = 10.0
"""Of every call, in seconds; no fault below would ever end by itself."""
MODEL_SECONDS = 0.2


class HeldEngine(HistoryEngine):
    """Reads the prefixes of a page when it may, and each token after them when it may."""

    starts, steps = Event(), Event()

    def start(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        self.starts.wait()
        return super().start(ids)

    def join(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        self.starts.wait()
        return super().join(ids)

    def step(self, ids: NDArray[np.int64], keep: NDArray[np.int64]) -> NDArray[np.float32]:
        if not self.steps.is_set():
            time.sleep(MODEL_SECONDS / 4)  # a page has some twenty tokens
        return super().step(ids, keep)

    @classmethod
    def hold(cls, *, starts: bool, steps: bool) -> None:
        for event, held in ((cls.starts, starts), (cls.steps, steps)):
            (event.clear if held else event.set)()


@pytest_asyncio.fixture(loop_scope="module")
async def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SimpleNamespace]:
    """A shop whose reasons are worded in process by an engine that can be held."""
    home = tmp_path / REASON_MODEL / VERSION_FOLDER
    home.mkdir(parents=True)
    shutil.copy(REPOSITORY / REASON_MODEL / VERSION_FOLDER / TOKENS, home)
    (home / SERVED_GRAPH).touch()
    size = len(onnx_writer.LearntModel(home.parent, ()).grammar.texts)
    monkeypatch.setattr(onnx_writer, "OnnxEngine", lambda *_: HeldEngine(size))
    settings = Settings(
        port=0,
        metrics_port=0,
        model=REASON_MODEL,
        model_seconds=MODEL_SECONDS,
        late_seconds=DEADLINE,
        inference=InferenceSettings(backend="onnx", model_dir=tmp_path),
    )
    HeldEngine.hold(starts=False, steps=False)
    reasons = await start_server(ReasonServer(settings), settings)
    await reasons.wait_ready(30)
    budgets = {"reason": {"seconds": DEADLINE, "reserve": 0}}
    target = f"127.0.0.1:{reasons.port}"
    async with serve(tmp_path / "shop", reason_target=target, budgets=budgets) as running:
        yield running
        HeldEngine.hold(starts=False, steps=False)
    await reasons.stop()


async def search(channel: grpc.aio.Channel):
    request = SearchRequest(query="steel cup", language_code="en")
    return await SearchServiceStub(channel).Search(request, timeout=DEADLINE)


async def recommend(channel: grpc.aio.Channel):
    user = UserContext(user_id="nobody")
    request = RecommendRequest(user=user, language_code="en")
    return await RecommendationServiceStub(channel).Recommend(request, timeout=DEADLINE)


async def stream(channel: grpc.aio.Channel):
    """The page of a streamed search, with its reasons and what its end says."""
    request = SearchStreamRequest(request=SearchRequest(query="steel cup", language_code="en"))
    parts = SearchServiceStub(channel).SearchStream(request, timeout=DEADLINE)
    whole = [part async for part in parts]
    page, end = whole[0].page, whole[-1].end
    reasons = {part.reason.product_id: part.reason for part in whole if part.HasField("reason")}
    for result in page.results:
        result.reason.CopyFrom(reasons[result.product.id])
    counts, kept = end.reason_writers, [reason.cached for reason in reasons.values()]
    assert counts.model_count + counts.template_count == len(reasons)
    assert counts.cached_count == sum(kept)
    page.degraded.extend(end.degraded)
    return page


def generators(answer) -> set[int]:
    assert answer.results
    assert all(result.reason.text for result in answer.results)
    return {result.reason.generator for result in answer.results}


@pytest.mark.parametrize("ask", [search, stream, recommend])
async def test_templates_say_the_reasons_where_the_model_hangs_and_the_answer_says_so(held, ask):
    HeldEngine.hold(starts=True, steps=False)
    answer = await ask(held.channel)
    assert generators(answer) == {Generator.GENERATOR_TEMPLATE}
    (lost,) = answer.degraded
    assert (lost.stage, lost.cause) == ("reason.model", DEGRADATION_CAUSE_DEADLINE)
    assert lost.fallback == "template"


@pytest.mark.parametrize("ask", [search, stream, recommend])
async def test_what_a_slow_model_misses_is_said_by_templates_and_kept_for_the_next(held, ask):
    HeldEngine.hold(starts=False, steps=True)
    answer = await ask(held.channel)
    assert Generator.GENERATOR_TEMPLATE in generators(answer)
    (lost,) = answer.degraded
    assert (lost.stage, lost.cause) == ("reason.model", DEGRADATION_CAUSE_DEADLINE)
    before = {result.product.id: result.reason for result in answer.results}
    HeldEngine.hold(starts=False, steps=False)
    async with asyncio.timeout(DEADLINE):
        while True:
            answer = await ask(held.channel)
            late = [
                result.reason
                for result in answer.results
                if before[result.product.id].generator == Generator.GENERATOR_TEMPLATE
                and result.reason.generator == Generator.GENERATOR_MODEL
            ]
            if late and all(reason.cached for reason in late):
                break
            await asyncio.sleep(0.05)
    assert not answer.degraded
