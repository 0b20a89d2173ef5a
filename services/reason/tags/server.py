"""The gRPC face of tags: proto <-> domain, nothing else."""

import asyncio
from pathlib import Path

import grpc

from services.reason.tags.book import TagBook
from services.reason.tags.messages import proposal_proto, tag_proto
from services.reason.tags.passages import passages_of
from services.reason.tags.proposals import PhraseCounter
from services.reason.tags.tagger import Tagger
from services.reason.tags.validation import TagsInput, from_request
from shared.timing import StageTimer
from wherefore.reason.v1 import tag_service_pb2 as pb
from wherefore.reason.v1 import tag_service_pb2_grpc as pb_grpc

SERVICE_NAME = "wherefore.reason.v1.TagService"


class TagServer(pb_grpc.TagServiceServicer):
    """Serves `TagService`.

    Args:
        vocabulary: File of the shop's vocabulary; None for the lexicons'.
        model: File of its model; None for words alone.
    """

    def __init__(self, vocabulary: Path | None = None, model: Path | None = None) -> None:
        self._book = TagBook(vocabulary, model)

    async def start(self) -> None:
        """Reads the files before the first request needs them."""
        await self._book.tagger()

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the service to a server."""
        pb_grpc.add_TagServiceServicer_to_server(self, server)

    async def GenerateTags(  # noqa: N802  # the contract's name
        self,
        request: pb.GenerateTagsRequest,
        context: grpc.aio.ServicerContext[pb.GenerateTagsRequest, pb.GenerateTagsResponse],
    ) -> pb.GenerateTagsResponse:
        """Tags products; see tag_service.proto."""
        wanted = from_request(request)
        timer = StageTimer()
        tagger = await self._book.tagger()
        # A hundred long products take a second: other calls go on meanwhile.
        response = await asyncio.to_thread(_answer, tagger, wanted, timer)
        response.degraded.extend(self._book.problems())
        return response


def _answer(tagger: Tagger, wanted: TagsInput, timer: StageTimer) -> pb.GenerateTagsResponse:
    response = pb.GenerateTagsResponse(vocabulary_version=tagger.version)
    with timer.stage("tags"):
        for product in wanted.products:
            tags = tagger.tag(product, wanted.language, wanted.least, wanted.most)
            response.products.add(product_id=product.id, tags=[tag_proto(tag) for tag in tags])
    if wanted.least_products:
        with timer.stage("tags.proposals"):
            counter = PhraseCounter(tagger.vocabulary)
            for product in wanted.products:
                counter.add(product, passages_of(product))
            found = counter.proposals(wanted.least_products)
            response.proposals.extend(proposal_proto(proposal) for proposal in found)
    response.timings.extend(timer.timings())
    return response
