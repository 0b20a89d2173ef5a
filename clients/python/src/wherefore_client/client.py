"""The client for programs without asyncio. Threads may share one."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_event_pb2 import UserEvent
from wherefore.orchestrator.v1.completion_service_pb2 import CompleteRequest, CompleteResponse
from wherefore.orchestrator.v1.completion_service_pb2_grpc import CompletionServiceStub
from wherefore.orchestrator.v1.explanation_service_pb2 import ExplainRequest, ExplainResponse
from wherefore.orchestrator.v1.explanation_service_pb2_grpc import ExplanationServiceStub
from wherefore.orchestrator.v1.product_service_pb2 import (
    ProductServiceGetRequest,
    ProductServiceImportResponse,
    ProductServiceListRequest,
    ProductServiceListResponse,
)
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest, RecommendResponse
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import (
    SearchRequest,
    SearchResponse,
    SearchStreamRequest,
    SearchStreamResponse,
)
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.summary_service_pb2 import SummariseRequest, SummariseResponse
from wherefore.orchestrator.v1.summary_service_pb2_grpc import SummaryServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import (
    ImportWithProgressResponse,
    UserEventServiceWriteRequest,
    UserEventServiceWriteResponse,
)
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub
from wherefore_client.batches import event_packer, product_packer
from wherefore_client.calls import Calls
from wherefore_client.connection import Tls
from wherefore_client.deadlines import Deadlines, chosen
from wherefore_client.events import with_id


class Client(Calls):
    """Calls the public services of a suite. Connects with the first call; close it, or use `with`.

    Every method may raise a `ClientError`. `timeout` is in seconds, the default of the kind of
    call when None; `request_id` is made when empty.

    Args:
        target: "HOST:PORT", "dns:///NAME:PORT" for all addresses of a name, or several "IP:PORT".
        api_key: Key that the suite's operator made.
        token: JSON web token, or what returns the current one.
        tls: How the connection is secured; None for plain text.
        tenant: Tenant that an operator works for.
        deadlines: What calls may take where `timeout` is not given.
        plain_text_credentials: Lets a key or token go over plain text.

    Raises:
        ValueError: Arguments that do not go together; the text names them.
    """

    def __init__(
        self,
        target: str | Sequence[str] = "localhost:7700",
        *,
        api_key: str = "",
        token: str | Callable[[], str] = "",
        tls: Tls | None = None,
        tenant: str = "",
        deadlines: Deadlines | None = None,
        plain_text_credentials: bool = False,
    ) -> None:
        super().__init__(
            target,
            api_key=api_key,
            token=token,
            tls=tls,
            tenant=tenant,
            deadlines=deadlines,
            plain_text_credentials=plain_text_credentials,
        )
        self._searches = SearchServiceStub(self.channel)
        self._recommendations = RecommendationServiceStub(self.channel)
        self._completions = CompletionServiceStub(self.channel)
        self._explanations = ExplanationServiceStub(self.channel)
        self._summaries = SummaryServiceStub(self.channel)
        self._events = UserEventServiceStub(self.channel)
        self._products = ProductServiceStub(self.channel)

    def search(
        self, request: SearchRequest, *, timeout: float | None = None, request_id: str = ""
    ) -> SearchResponse:
        """Returns one page of products for a query."""
        return self.call(self._searches.Search, request, timeout=timeout, request_id=request_id)

    def search_pages(
        self, request: SearchRequest, *, timeout: float | None = None
    ) -> Iterator[SearchResponse]:
        """Yields page after page, from that of `request.page_token` on; `timeout` is for each."""
        wanted = SearchRequest()
        wanted.CopyFrom(request)
        while True:
            page = self.search(wanted, timeout=timeout)
            yield page
            if not page.next_page_token:
                return
            wanted.page_token = page.next_page_token

    def search_stream(
        self, request: SearchStreamRequest, *, timeout: float | None = None, request_id: str = ""
    ) -> Generator[SearchStreamResponse]:
        """Yields the page as soon as it is ranked, then reasons as they are written, then the end.

        The call is made with the first step, and given up when the generator is closed.
        """
        return self.stream(
            self._searches.SearchStream, request, timeout=timeout, request_id=request_id
        )

    def recommend(
        self, request: RecommendRequest, *, timeout: float | None = None, request_id: str = ""
    ) -> RecommendResponse:
        """Returns products for a user, or for products at hand."""
        return self.call(
            self._recommendations.Recommend, request, timeout=timeout, request_id=request_id
        )

    def complete(
        self, request: CompleteRequest, *, timeout: float | None = None, request_id: str = ""
    ) -> CompleteResponse:
        """Returns what a prefix may become."""
        return self.call(
            self._completions.Complete, request, timeout=timeout, request_id=request_id
        )

    def explain(
        self, request: ExplainRequest, *, timeout: float | None = None, request_id: str = ""
    ) -> ExplainResponse:
        """Returns what made the score of each product."""
        seconds = chosen(timeout, self.deadlines.study)
        return self.call(
            self._explanations.Explain, request, timeout=seconds, request_id=request_id
        )

    def summarise(
        self, request: SummariseRequest, *, timeout: float | None = None, request_id: str = ""
    ) -> SummariseResponse:
        """Returns what reviews say of a product."""
        seconds = chosen(timeout, self.deadlines.study)
        return self.call(self._summaries.Summarise, request, timeout=seconds, request_id=request_id)

    def write_event(
        self, event: UserEvent, *, timeout: float | None = None, request_id: str = ""
    ) -> UserEventServiceWriteResponse:
        """Writes what a user did; it is on disk when this returns.

        An event without an id is given one. To write it again after an error, give it an id
        yourself (`event_after` does): a second event of an id is acknowledged and dropped.
        """
        return self.call(
            self._events.Write,
            UserEventServiceWriteRequest(event=with_id(event)),
            timeout=chosen(timeout, self.deadlines.write),
            request_id=request_id,
        )

    def import_events(
        self, events: Iterable[UserEvent], *, timeout: float | None = None, request_id: str = ""
    ) -> Generator[ImportWithProgressResponse]:
        """Writes many events, and yields how far it is; nothing is sent before the first step.

        An error of the iterable ends the call and is raised as it is.
        """
        return self.exchange(
            self._events.ImportWithProgress,
            event_packer().of(events),
            timeout=timeout,
            request_id=request_id,
        )

    def import_products(
        self,
        products: Iterable[Product],
        *,
        first_row: int = 1,
        timeout: float | None = None,
        request_id: str = "",
    ) -> Generator[ProductServiceImportResponse]:
        """Writes many products, and yields how far it is; nothing is sent before the first step.

        Rows up to `acknowledged_row` are on disk. After an error go on with those behind it, and
        `first_row` one higher. An error of the iterable ends the call and is raised as it is.

        Args:
            products: Taken as the server keeps up.
            first_row: Row of the first of them, from 1.
            timeout: See the class.
            request_id: See the class.
        """
        requests = product_packer(first_row).of(products)
        return self.exchange(
            self._products.Import, requests, timeout=timeout, request_id=request_id
        )

    def get_product(
        self, product_id: str, *, timeout: float | None = None, request_id: str = ""
    ) -> Product:
        """Returns a product of the catalogue."""
        request = ProductServiceGetRequest(product_id=product_id)
        return self.call(
            self._products.Get, request, timeout=timeout, request_id=request_id
        ).product

    def product_pages(
        self, request: ProductServiceListRequest, *, timeout: float | None = None
    ) -> Iterator[ProductServiceListResponse]:
        """Yields the catalogue page by page, in order of id; `timeout` is for each."""
        wanted = ProductServiceListRequest()
        wanted.CopyFrom(request)
        while True:
            page = self.call(self._products.List, wanted, timeout=timeout)
            yield page
            if not page.next_page_token:
                return
            wanted.page_token = page.next_page_token
