"""What valid requests are made of: answers of the running suite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import grpc

from tests.fuzz.methods import Method
from tests.fuzz.values import Known
from wherefore.common.v1.product_pb2 import Product
from wherefore.nlu.v1 import nlu_service_pb2 as nlu
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub
from wherefore.orchestrator.v1 import search_service_pb2
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.retrieval.v1 import retrieval_service_pb2 as retrieval
from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

_TIMEOUT = 20.0
WRITING = ("Delete", "Import", "Index", "Update", "Write")
"""Methods of these names change what the suite holds."""
QUERIES = ("wireless headphones under 300, not black", "300元以下的蓝色杯子")


@dataclass
class Suite:
    """What seeds are made of: answers of the running suite.

    Attributes:
        targets: HOST:PORT by process.
    """

    targets: Mapping[str, str]

    @cached_property
    def parsed(self) -> list[Any]:
        """QUERIES as the NLU reads them, with their vectors."""
        with grpc.insecure_channel(self.targets["nlu"]) as channel:
            parse = NluServiceStub(channel).Parse
            return [
                parse(nlu.ParseRequest(query=query), timeout=_TIMEOUT).understanding
                for query in QUERIES
            ]

    @cached_property
    def candidates(self) -> list[Any]:
        """Six candidates for the first query, with all of their products."""
        request = retrieval.RetrieveRequest(
            query=self.parsed[0], limit=6, read_mask={"paths": ["*"]}
        )
        with grpc.insecure_channel(self.targets["retrieval"]) as channel:
            response = RetrievalServiceStub(channel).Retrieve(request, timeout=_TIMEOUT)
        return list(response.candidates)

    @cached_property
    def page(self) -> Any:
        """A page of three for the first query."""
        request = search_service_pb2.SearchRequest(query=QUERIES[0], page_size=3)
        with grpc.insecure_channel(self.targets["orchestrator"]) as channel:
            return SearchServiceStub(channel).Search(request, timeout=_TIMEOUT)

    @property
    def products(self) -> list[Product]:
        """The products of the candidates."""
        return [candidate.product for candidate in self.candidates]

    def known(self, method: Method) -> Known:
        """Returns what random requests may refer to; of products none that a call could spoil."""
        writes = method.name in WRITING
        return Known(
            () if writes else tuple(product.id for product in self.products),
            (self.page.next_page_token, self.page.attribution_token),
        )
