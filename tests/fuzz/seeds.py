"""Valid requests of every method, taken from the running suite; what mutations start from.

A method that is not in the table is fuzzed all the same, with messages at random alone.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

from google.protobuf.message import Message
from PIL import Image

from tests.fuzz import application_seeds
from tests.fuzz.cases import Start
from tests.fuzz.methods import Method
from tests.fuzz.shop import (
    make_buyer,
    make_events,
    make_facets,
    make_product,
    make_reviews,
    make_user,
)
from tests.fuzz.suite import QUERIES, Suite
from tests.fuzz.values import PRODUCT_IDS
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_profile_pb2 import RecentProduct, UserContext, UserProfile
from wherefore.nlu.v1 import nlu_service_pb2 as nlu
from wherefore.nlu.v1 import picture_service_pb2 as pictures
from wherefore.orchestrator.v1 import (
    aggregate_service_pb2,
    completion_service_pb2,
    event_log_service_pb2,
    experiment_service_pb2,
    explanation_service_pb2,
    product_service_pb2,
    recommendation_service_pb2,
    search_service_pb2,
    summary_service_pb2,
    user_data_service_pb2,
    user_event_service_pb2,
)
from wherefore.orchestrator.v1.picture_query_pb2 import PictureQuery
from wherefore.ranking.v1 import ranking_service_pb2 as ranking
from wherefore.reason.v1 import classification_service_pb2, reason_service_pb2, tag_service_pb2
from wherefore.reason.v1.summary_pb2 import SummariseRequest
from wherefore.recommend.v1 import recommend_service_pb2
from wherefore.retrieval.v1 import index_admin_service_pb2 as index_admin
from wherefore.retrieval.v1 import retrieval_service_pb2 as retrieval
from wherefore.retrieval.v1.facet_pb2 import FACET_SCOPE_FILTER


def seeds(suite: Suite, method: Method) -> list[Message]:
    """Returns valid requests of a method; none where the table has none."""
    path = method.path.removeprefix("/wherefore.")
    make = _SEEDS.get(path) or application_seeds.SEEDS.get(path)
    return list(make(suite)) if make is not None else []


def start(suite: Suite, method: Method) -> Start:
    """Returns what fuzzed calls of a method start from."""
    return Start(seeds(suite, method), suite.known(method))


def _pictured(product: Product, uri: str) -> Product:
    product.images.add(uri=uri)
    return product


def _picture(colour: str) -> pictures.Picture:
    buffer = io.BytesIO()
    Image.new("RGB", (24, 32), colour).save(buffer, "PNG")
    return pictures.Picture(frames=[buffer.getvalue()])


def _profile(suite: Suite) -> UserProfile:
    recent = suite.products[0]
    return UserProfile(
        user_id="fuzz",
        recent_products=[
            RecentProduct(product_id=recent.id, action="view", age_seconds=60, title="Cup")
        ],
        brand_affinities={"Acme": 0.5},
        category_affinities={"Kitchen > Cups": 0.4},
        typical_prices={"CNY": 100.0},
    )


def _rank(suite: Suite) -> ranking.RankRequest:
    return ranking.RankRequest(
        query=suite.parsed[0],
        candidates=suite.candidates,
        user=_profile(suite),
        include_contributions=True,
        diversity=0.3,
    )


def _explain(suite: Suite) -> reason_service_pb2.ExplainRequest:
    items = [
        reason_service_pb2.ExplainItem(product=candidate.product, legs=candidate.legs)
        for candidate in suite.candidates
    ]
    items[0].anchor_product_ids.append(suite.products[0].id)
    items[1].relations.add(kind=1, product_id="other", product_title="Other", customer_count=4)
    items[2].price_standing.category = "Audio"
    items[2].price_standing.currency_code = "CNY"
    items[2].price_standing.compared_count = 40
    items[2].price_standing.dearer_count = 30
    items[1].relations.add(kind=10, purchase_count=4, age_seconds=3e6, interval_days=30)
    items[1].disclosure.sponsored = items[1].disclosure.overstock = True
    items[2].disclosure.daily_demand = 1.5
    return reason_service_pb2.ExplainRequest(
        query=suite.parsed[0], user=_profile(suite), items=items
    )


def _documents(suite: Suite) -> list[Message]:
    document = retrieval.IndexDocument(product=make_product(1), row=1)
    document.vector.CopyFrom(suite.parsed[0].vector)
    return [retrieval.IndexRequest(documents=[document])]


def _searches(suite: Suite) -> Sequence[Message]:
    make = search_service_pb2.SearchRequest
    token = suite.page.next_page_token
    return [
        make(query=QUERIES[0], page_size=3, page_token=token),
        make(query=QUERIES[1], filter="price < 300", order_by="price desc", language_code="zh"),
        make(query="cup", user=make_user(), facets=make_facets(), facet_scope=FACET_SCOPE_FILTER),
        make(query="cup", user=make_buyer(), filter="price < 90 OR brand: Acme", order_by="price"),
        make(query="blue cup", include_contributions=True, group_variants=1, keep_spelling=True),
        make(
            pictures=PictureQuery(
                picture=_picture("red"), text="cup", edit="blue", picture_weight=2, text_weight=1
            )
        ),
    ]


def _recommendations(suite: Suite) -> Sequence[Message]:
    make = recommendation_service_pb2.RecommendRequest
    ids = [product.id for product in suite.products[:2]]
    return [
        make(user=make_user(), page_size=5),
        make(product_ids=ids[:1], serving_config="similar", filter="price > 1"),
        make(user=make_buyer(), serving_config="reorder", filter="price > 1"),
        make(product_ids=ids, serving_config="complements", include_contributions=True),
    ]


_LEAVING = UserContext(user_id="fuzz-leaving")
"""Erased again and again: what a user did before is refused, and others are to have done much."""

_SEEDS: dict[str, Callable[[Suite], Sequence[Message]]] = {
    "nlu.v1.NluService/Parse": lambda _: [
        nlu.ParseRequest(query=query, language_code=language)
        for query, language in zip(QUERIES, ("en", ""), strict=True)
    ],
    "nlu.v1.NluService/ParseBatch": lambda _: [
        nlu.ParseBatchRequest(requests=[nlu.ParseRequest(query=query) for query in QUERIES])
    ],
    "nlu.v1.NluService/Match": lambda _: [
        nlu.MatchRequest(pairs=[nlu.TextPair(left="cup", right="a blue cup")], method=method)
        for method in (0, 1, 2)
    ],
    "nlu.v1.NluService/AttributeMatch": lambda _: [
        nlu.AttributeMatchRequest(pairs=[nlu.TextPair(left="cup", right="a blue cup")])
    ],
    "nlu.v1.NluService/Embed": lambda _: [nlu.EmbedRequest(texts=list(QUERIES), role=1)],
    "nlu.v1.NluService/Analyse": lambda _: [nlu.AnalyseRequest(texts=list(QUERIES))],
    "nlu.v1.PictureService/EmbedPictures": lambda _: [
        pictures.EmbedPicturesRequest(pictures=[_picture("red"), _picture("blue")])
    ],
    "nlu.v1.PictureService/EmbedTexts": lambda _: [pictures.EmbedTextsRequest(texts=list(QUERIES))],
    "nlu.v1.PictureService/ComposeQuery": lambda _: [
        pictures.ComposeQueryRequest(picture=_picture("red"), text="tee", edit="blue"),
        pictures.ComposeQueryRequest(text="红色连衣裙", text_weight=2.0),
    ],
    "ranking.v1.RankingService/Rank": lambda suite: [_rank(suite)],
    "ranking.v1.RankingService/Explain": lambda suite: [
        ranking.ExplainRequest(
            ranking=_rank(suite), product_ids=[suite.products[1].id], language_code="en"
        )
    ],
    "reason.v1.ReasonService/Explain": lambda suite: [_explain(suite)],
    "reason.v1.ReasonService/ExplainStream": lambda suite: [
        reason_service_pb2.ExplainStreamRequest(request=_explain(suite), by_clause=by_clause)
        for by_clause in (False, True)
    ],
    "reason.v1.ReasonService/Summarise": lambda _: [
        SummariseRequest(
            reviews=make_reviews(), descriptions={"en": "A cup."}, max_words=60, style=2
        )
    ],
    "reason.v1.ClassificationService/ClassifyProducts": lambda suite: [
        classification_service_pb2.ClassifyProductsRequest(
            products=[make_product(), *suite.products[:1]],
            taxonomy=[{"path": ["Kitchen", "Cups"]}, {"path": ["Kitchen", "Pans"]}],
        )
    ],
    "reason.v1.TagService/GenerateTags": lambda suite: [
        tag_service_pb2.GenerateTagsRequest(
            products=[make_product(), *suite.products[:1]], min_confidence=0.2
        )
    ],
    "recommend.v1.RecommendService/Candidates": lambda suite: [
        recommend_service_pb2.CandidatesRequest(
            strategy=strategy, user=make_user(), product_ids=[suite.products[0].id], limit=20
        )
        for strategy in range(1, 8)
    ],
    "recommend.v1.RecommendService/Relate": lambda suite: [
        recommend_service_pb2.RelateRequest(
            product_ids=[p.id for p in suite.products[:3]],
            beside_product_ids=[p.id for p in suite.products[2:5]],
            user=make_user(),
        )
    ],
    "retrieval.v1.RetrievalService/Index": _documents,
    "retrieval.v1.RetrievalService/Delete": lambda _: [
        retrieval.DeleteRequest(product_ids=PRODUCT_IDS[:2])
    ],
    "retrieval.v1.RetrievalService/Retrieve": lambda suite: [
        retrieval.RetrieveRequest(query=query, limit=5, filter="price < 300")
        for query in suite.parsed
    ],
    "retrieval.v1.RetrievalService/Similar": lambda suite: [
        retrieval.SimilarRequest(product_ids=[p.id for p in suite.products[:2]], weights=[1, 0.5])
    ],
    "retrieval.v1.RetrievalService/Facets": lambda suite: [
        retrieval.FacetsRequest(query=suite.parsed[0], facets=make_facets(), scope=1)
    ],
    "retrieval.v1.RetrievalService/SelectProducts": lambda suite: [
        retrieval.SelectProductsRequest(
            product_ids=[p.id for p in suite.products], filters=["price < 300", "in_stock = true"]
        )
    ],
    "retrieval.v1.RetrievalService/GetProducts": lambda suite: [
        retrieval.GetProductsRequest(
            product_ids=[p.id for p in suite.products],
            include_vector_sources=True,
            include_price_standings=True,
        )
    ],
    "retrieval.v1.RetrievalService/ListProducts": lambda _: [
        retrieval.ListProductsRequest(page_size=5, filter="price > 1"),
        retrieval.ListProductsRequest(page_size=5, order=1),
    ],
    "retrieval.v1.RetrievalService/Stats": lambda _: [retrieval.StatsRequest()],
    "retrieval.v1.IndexAdminService/Reindex": lambda _: [
        index_admin.ReindexRequest(action=action, keep_former=keep)
        for action in (1, 2, 3)
        for keep in (False, True)
    ],
    "retrieval.v1.IndexAdminService/Snapshot": lambda _: [index_admin.SnapshotRequest()],
    "orchestrator.v1.SearchService/Search": _searches,
    "orchestrator.v1.SearchService/SearchStream": lambda suite: [
        search_service_pb2.SearchStreamRequest(request=request, by_clause=bool(number % 2))
        for number, request in enumerate(_searches(suite))
    ],
    "orchestrator.v1.CompletionService/Complete": lambda _: [
        completion_service_pb2.CompleteRequest(prefix="wirel", limit=5, language_code="en"),
        completion_service_pb2.CompleteRequest(prefix="erji"),
    ],
    "orchestrator.v1.ExplanationService/Explain": lambda suite: [
        explanation_service_pb2.ExplainRequest(
            query=QUERIES[0], product_ids=[suite.products[0].id], page_size=2
        ),
        explanation_service_pb2.ExplainRequest(
            attribution_token=suite.page.attribution_token,
            page_size=2,
            reading_count=1,
            skip_words=True,
        ),
    ],
    "orchestrator.v1.RecommendationService/Recommend": _recommendations,
    "orchestrator.v1.ProductService/Import": lambda _: [
        product_service_pb2.ProductServiceImportRequest(
            products=[make_product(2), make_product(3)], rows=[1, 2]
        ),
        product_service_pb2.ProductServiceImportRequest(
            products=[_pictured(make_product(2), "a.png")],
            pictures=[
                product_service_pb2.ImportedPicture(uri="a.png", data=_picture("red").frames[0])
            ],
        ),
    ],
    "orchestrator.v1.ProductService/Get": lambda suite: [
        product_service_pb2.ProductServiceGetRequest(
            product_id=suite.products[0].id, read_mask={"paths": ["titles", "price"]}
        )
    ],
    "orchestrator.v1.ProductService/Update": lambda _: [
        product_service_pb2.ProductServiceUpdateRequest(
            product=make_product(4), allow_missing=True
        ),
        product_service_pb2.ProductServiceUpdateRequest(
            product=make_product(4), update_mask={"paths": ["price", "titles"]}, allow_missing=True
        ),
    ],
    "orchestrator.v1.ProductService/Delete": lambda _: [
        product_service_pb2.ProductServiceDeleteRequest(
            product_id=PRODUCT_IDS[4], allow_missing=True
        )
    ],
    "orchestrator.v1.ProductService/List": lambda _: [
        product_service_pb2.ProductServiceListRequest(page_size=5, filter="price > 1")
    ],
    "orchestrator.v1.UserEventService/Write": lambda _: [
        user_event_service_pb2.UserEventServiceWriteRequest(event=event) for event in make_events()
    ],
    "orchestrator.v1.UserEventService/Import": lambda _: [
        user_event_service_pb2.UserEventServiceImportRequest(events=make_events())
    ],
    "orchestrator.v1.UserEventService/ImportWithProgress": lambda _: [
        user_event_service_pb2.ImportWithProgressRequest(events=make_events())
    ],
    "orchestrator.v1.UserDataService/PurgeUser": lambda _: [
        user_data_service_pb2.PurgeUserRequest(user=_LEAVING)
    ],
    "orchestrator.v1.UserDataService/ExportUser": lambda _: [
        user_data_service_pb2.ExportUserRequest(user=make_user())
    ],
    "orchestrator.v1.UserDataService/SetConsent": lambda _: [
        user_data_service_pb2.SetConsentRequest(user=_LEAVING, refused_purposes=[purpose])
        for purpose in (1, 2)
    ],
    "orchestrator.v1.AggregateService/Aggregate": lambda _: [
        aggregate_service_pb2.AggregateRequest(kind=kind, days=30, epsilon=0.1, limit=20)
        for kind in (1, 2)
    ],
    "orchestrator.v1.AggregateService/GetBudget": lambda _: [
        aggregate_service_pb2.GetBudgetRequest()
    ],
    "orchestrator.v1.ExperimentService/Report": lambda _: [
        experiment_service_pb2.ExperimentServiceReportRequest()
    ],
    "orchestrator.v1.EventLogService/Follow": lambda _: [event_log_service_pb2.FollowRequest()],
    "orchestrator.v1.SummaryService/Summarise": lambda suite: [
        summary_service_pb2.SummariseRequest(
            product_id=suite.products[1].id, reviews=make_reviews(), max_words=50, max_points=3
        ),
        summary_service_pb2.SummariseRequest(product_id=suite.products[0].id, language_code="zh"),
    ],
}
