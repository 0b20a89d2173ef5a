"""The public services of an orchestrator, put together from its parts and added to a server."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import grpc.aio

from services.orchestrator.applications_data import ApplicationsData
from services.orchestrator.catalogue import ProductCatalogue
from services.orchestrator.catalogue_import import CatalogueImporter
from services.orchestrator.choices import QueryChoices
from services.orchestrator.clients import Clients
from services.orchestrator.completion.completer import Completer
from services.orchestrator.config import OrchestratorSettings
from services.orchestrator.embedder import Embedder
from services.orchestrator.event_store import EventStore
from services.orchestrator.events import EventLog
from services.orchestrator.experiments.book import Experiments
from services.orchestrator.explanation import Explainer
from services.orchestrator.merchandising.merchandiser import Merchandiser
from services.orchestrator.merchandising.rule_book import RuleBook
from services.orchestrator.page_cache import PageCache
from services.orchestrator.pictures.embedder import PictureEmbedder
from services.orchestrator.pictures.sources import PictureSources
from services.orchestrator.pictures.thumbnails import Thumbnails
from services.orchestrator.pipeline import SearchPipeline
from services.orchestrator.popularity import Popularity
from services.orchestrator.profile import ProfileReader
from services.orchestrator.rankings import Rankings
from services.orchestrator.recommend import Recommender
from services.orchestrator.related import RelatedFinder
from services.orchestrator.servers.completion import CompletionServer
from services.orchestrator.servers.event_log import EventLogServer
from services.orchestrator.servers.events import UserEventServer
from services.orchestrator.servers.experiments import ExperimentServer
from services.orchestrator.servers.explanation import ExplanationServer
from services.orchestrator.servers.personal import add_personal_services
from services.orchestrator.servers.products import ProductServer
from services.orchestrator.servers.recommend import RecommendationServer
from services.orchestrator.servers.search import SearchServer
from services.orchestrator.servers.summary import SummaryServer
from services.orchestrator.shown import ShownPages
from services.orchestrator.sponsored.offers import OfferSeal
from services.orchestrator.sponsored.public import stream_without_prices, without_prices
from services.orchestrator.sponsored.seller import Seller
from services.orchestrator.stock.mover import StockMover
from services.orchestrator.summary import ProductSummariser
from services.orchestrator.terms.book import TermsBook
from services.orchestrator.tokens import TokenSigner
from services.orchestrator.user_data import UserData
from services.orchestrator.web.app import Api
from services.orchestrator.web.applications import Applications
from wherefore.orchestrator.v1.completion_service_pb2_grpc import (
    add_CompletionServiceServicer_to_server,
)
from wherefore.orchestrator.v1.event_log_service_pb2_grpc import (
    add_EventLogServiceServicer_to_server,
)
from wherefore.orchestrator.v1.experiment_service_pb2_grpc import (
    add_ExperimentServiceServicer_to_server,
)
from wherefore.orchestrator.v1.explanation_service_pb2_grpc import (
    add_ExplanationServiceServicer_to_server,
)
from wherefore.orchestrator.v1.product_service_pb2_grpc import add_ProductServiceServicer_to_server
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import (
    add_RecommendationServiceServicer_to_server,
)
from wherefore.orchestrator.v1.search_service_pb2_grpc import add_SearchServiceServicer_to_server
from wherefore.orchestrator.v1.summary_service_pb2_grpc import add_SummaryServiceServicer_to_server
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import (
    add_UserEventServiceServicer_to_server,
)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a process has one of, and its services share."""

    settings: OrchestratorSettings
    clients: Clients
    elsewhere: ApplicationsData
    store: EventStore
    events: EventLog
    popularity: Popularity
    completer: Completer
    choices: QueryChoices
    signer: TokenSigner
    shown: ShownPages
    experiments: Experiments
    seller: Seller
    seal: OfferSeal
    rules: RuleBook
    stock: StockMover
    terms: TermsBook


def add_public_services(
    server: grpc.aio.Server, parts: Parts, check_ready: Callable[[], Awaitable[None]]
) -> Api:
    """Adds all services but health and reflection; returns them as the demo page calls them.

    Args:
        server: Not started yet.
        parts: Of the process.
        check_ready: Raises while the process is not ready.
    """
    settings, clients = parts.settings, parts.clients
    signer = parts.signer
    profiles = ProfileReader(clients, parts.store)
    embedder = Embedder(clients)
    sources = PictureSources(settings.pictures_dir, draws=settings.pictures_drawn)
    pictures = PictureEmbedder(clients, sources)
    merchandiser = Merchandiser(clients, parts.rules)
    rankings = Rankings(
        clients,
        profiles,
        merchandiser,
        parts.choices,
        stock=parts.stock,
        seller=parts.seller,
        experiments=parts.experiments,
        terms=parts.terms,
    )
    pipeline = SearchPipeline(
        clients, rankings, signer, stock=parts.stock, seal=parts.seal, shown=parts.shown
    )
    pages = PageCache(
        clients.caches,
        parts.store,
        parts.rules,
        parts.experiments,
        stock=parts.stock,
        seller=parts.seller,
        terms=parts.terms,
    )
    search = SearchServer(pipeline, pages)
    recommend = RecommendationServer(
        Recommender(
            clients,
            profiles,
            parts.popularity,
            signer,
            merchandiser,
            related=RelatedFinder(clients, parts.store),
            stock=parts.stock,
            experiments=parts.experiments,
            shown=parts.shown,
            terms=parts.terms,
        )
    )
    products = ProductServer(
        ProductCatalogue(clients, embedder, pictures, signer),
        CatalogueImporter(clients, embedder, pictures),
    )
    events = UserEventServer(parts.events)
    add_SearchServiceServicer_to_server(search, server)
    explanations = ExplanationServer(Explainer(clients, rankings, parts.stock), rankings, signer)
    add_ExplanationServiceServicer_to_server(explanations, server)
    add_RecommendationServiceServicer_to_server(recommend, server)
    add_ProductServiceServicer_to_server(products, server)
    add_UserEventServiceServicer_to_server(events, server)
    add_ExperimentServiceServicer_to_server(ExperimentServer(parts.experiments), server)
    add_EventLogServiceServicer_to_server(EventLogServer(parts.store), server)
    parts.events.on_forgotten = rankings.forget
    data = UserData(
        parts.store,
        parts.events,
        parts.completer,
        profiles,
        parts.elsewhere,
        forget_pages=rankings.forget,
    )
    add_personal_services(server, data, parts.store, settings.privacy, settings.data_dir)
    summaries = SummaryServer(ProductSummariser(clients))
    add_SummaryServiceServicer_to_server(summaries, server)
    completion = CompletionServer(parts.completer)
    add_CompletionServiceServicer_to_server(completion, server)
    return Api(
        search=without_prices(search.Search),
        search_stream=stream_without_prices(search.SearchStream),
        summarise=summaries.Summarise,
        explain=explanations.Explain,
        complete=completion.Complete,
        recommend=recommend.Recommend,
        write_event=events.Write,
        thumbnails=Thumbnails(clients, sources).of,
        accounts=lambda: parts.terms.shown_accounts,
        applications=Applications(
            settings.assistant_target,
            settings.insight_target,
            settings.default_deadline_seconds,
        ),
        check_ready=check_ready,
        deadline_seconds=settings.default_deadline_seconds,
    )
