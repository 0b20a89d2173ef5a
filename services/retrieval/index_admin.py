"""The gRPC face of what operators do with the index."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import grpc.aio
import structlog

from services.retrieval.catalogue import Catalogue
from services.retrieval.reindexing import Reindexer, Stage, Step
from shared.errors import AbortedError, InvalidArgumentError
from wherefore.retrieval.v1 import index_admin_service_pb2 as pb
from wherefore.retrieval.v1.index_admin_service_pb2_grpc import IndexAdminServiceServicer

_PIECE_BYTES: Final = 1 << 19
_STAGES: Final = {stage: pb.ReindexStage.Value(f"REINDEX_STAGE_{stage.name}") for stage in Stage}
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class IndexAdminServer(IndexAdminServiceServicer):
    """Serves `IndexAdminService` for one catalogue.

    Args:
        catalogue: Whose index it is.
        executor: One thread, that optimisations use too: they and re-indexing take turns.
        grace_seconds: How long an index is kept once another one answers.
    """

    def __init__(self, catalogue: Catalogue, executor: Executor, grace_seconds: float) -> None:
        self._catalogue = catalogue
        self._executor = executor
        self._grace_seconds = grace_seconds
        self._files = ThreadPoolExecutor(1, "retrieval-snapshot")
        self._working: Reindexer | None = None
        self._sending = False

    def close(self) -> None:
        """Ends what is under way; before the catalogue is closed."""
        if self._working is not None:
            self._working.stop()
        self._files.shutdown(wait=False)

    async def Reindex(  # noqa: N802 # the contract's name
        self, request: pb.ReindexRequest, context: "grpc.aio.ServicerContext[Any, Any]"
    ) -> AsyncIterator[pb.ReindexResponse]:
        """See the contract."""
        if request.action not in pb.ReindexAction.values():
            raise InvalidArgumentError.of("action", f"{request.action} is no action")
        if self._working is not None:
            raise AbortedError("another re-indexing is under way: wait until it is done")
        loop = asyncio.get_running_loop()
        steps: asyncio.Queue[Step | None] = asyncio.Queue()

        def tell(step: Step | None) -> None:
            loop.call_soon_threadsafe(steps.put_nowait, step)

        worker = self._working = Reindexer(self._catalogue, tell, self._grace_seconds)
        work = loop.run_in_executor(self._executor, _work_of(worker, request))
        work.add_done_callback(lambda done: self._ended(done, steps))
        try:
            while (step := await steps.get()) is not None:
                yield _response(step)
            await asyncio.shield(work)
        finally:
            worker.stop()

    async def Snapshot(  # noqa: N802 # the contract's name
        self, request: pb.SnapshotRequest, context: "grpc.aio.ServicerContext[Any, Any]"
    ) -> AsyncIterator[pb.SnapshotResponse]:
        """See the contract."""
        if self._sending:
            raise AbortedError("another snapshot is under way: wait until it is sent")
        self._sending = True
        loop = asyncio.get_running_loop()
        held = ExitStack()
        taking = loop.run_in_executor(self._files, self._take, held)
        try:
            pieces = await asyncio.shield(taking)
            while (
                piece := await loop.run_in_executor(self._files, next, pieces, None)
            ) is not None:
                yield piece
        finally:
            # Behind what may still be copying; who called may be gone.
            closing = loop.run_in_executor(self._files, held.close)
            closing.add_done_callback(lambda _: self._sent())

    def _take(self, held: ExitStack) -> Iterator[pb.SnapshotResponse]:
        store = self._catalogue.store
        with self._catalogue.paused():
            folder = held.enter_context(store.snapshot())
            description = pb.SnapshotDescription(
                index_version=self._catalogue.version,
                product_count=store.count(exact=True),
                store=store.name,
            )
        _log.info("snapshot", products=description.product_count)
        return _pieces(folder, description)

    def _ended(self, work: "asyncio.Future[None]", steps: "asyncio.Queue[Step | None]") -> None:
        self._working = None
        # Who asked may be gone.
        if not work.cancelled() and (error := work.exception()) is not None:
            _log.warning("reindex_failed", reason=f"{type(error).__name__}: {error}")
        steps.put_nowait(None)

    def _sent(self) -> None:
        self._sending = False


def _work_of(worker: Reindexer, request: pb.ReindexRequest) -> Callable[[], None]:
    if request.action == pb.REINDEX_ACTION_GO_BACK:
        return worker.go_back
    if request.action == pb.REINDEX_ACTION_DROP_FORMER:
        return worker.drop_former
    return lambda: worker.build(keep_former=request.keep_former)


def _response(step: Step) -> pb.ReindexResponse:
    response = pb.ReindexResponse(
        stage=_STAGES[step.stage], done_count=step.done, total_count=step.total
    )
    if (agreement := step.agreement) is not None:
        response.agreement.search_count = agreement.searches
        response.agreement.exact_share = agreement.exact
        response.agreement.sparse_share = agreement.sparse
        response.agreement.graph_share = agreement.graph
    return response


def _pieces(folder: Path, description: pb.SnapshotDescription) -> Iterator[pb.SnapshotResponse]:
    yield pb.SnapshotResponse(description=description)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name, size = path.relative_to(folder).as_posix(), path.stat().st_size
            yield pb.SnapshotResponse(file=pb.SnapshotFile(path=name, size_bytes=size))
            with path.open("rb") as file:
                while data := file.read(_PIECE_BYTES):
                    yield pb.SnapshotResponse(data=data)
