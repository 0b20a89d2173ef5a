"""What recent events say of a user. Read afresh for every request: the last event counts."""

import statistics
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from google.protobuf.field_mask_pb2 import FieldMask

from services.orchestrator.budget import stage_timeout
from services.orchestrator.clients import Clients
from services.orchestrator.event_store import EventStore, actor_of, age_seconds
from services.orchestrator.fallback import Degradations
from services.orchestrator.interest import ACTIONS, decay, weight_of
from services.orchestrator.purposes import PERSONALISATION, refuses
from services.orchestrator.terms.applied import reprice_all
from services.orchestrator.terms.contract import Contract
from shared.category_path import category_text
from shared.errors import ResourceExhaustedError, UnavailableError, WhereforeError
from shared.text.document import title_of
from shared.timing import StageTimer
from wherefore.common.v1 import user_event_pb2 as events_pb
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_profile_pb2 import RecentProduct, UserContext, UserProfile
from wherefore.retrieval.v1.retrieval_service_pb2 import GetProductsRequest

MAX_RECENT: Final = 50
MAX_EVENTS: Final = 300
"""The latest events of a user, of which all that is known of them is made."""
_FIELDS: Final = ("titles", "brand", "category_path", "price", "variant_group_id")
_SPENDING: Final = (events_pb.USER_EVENT_TYPE_CART, events_pb.USER_EVENT_TYPE_PURCHASE)


class ProfileReader:
    """Makes profiles from the events of a store."""

    def __init__(self, clients: Clients, store: EventStore) -> None:
        self._clients = clients
        self._store = store
        self._half_life = clients.settings.popularity_half_life_days * 86_400.0

    async def read(
        self,
        user: UserContext,
        language: str,
        timer: StageTimer,
        degradations: Degradations,
        *,
        contract: Contract | None = None,
    ) -> UserProfile | None:
        """Returns the profile of a user or a visitor; None when nothing is known of them.

        Titles of recent products are in `language` where there is one; empty is English. The user
        is named by the pseudonym that all services behind this one know. What they usually pay is
        by the terms of their account, where they have one.
        """
        actor = actor_of(user.user_id, user.session_id)
        if not actor:
            return None
        try:
            self._clients.brown_out.check("profile")
        except ResourceExhaustedError as error:
            degradations.note("profile", error)
            return None
        with timer.stage("profile"):
            try:
                events = await self._store.recent(actor, MAX_EVENTS)
            except UnavailableError as error:
                degradations.note("profile", error)
                return None
            recent = recent_products(events)
            if not recent:
                return None
            products = await self._products([r.product_id for r in recent], degradations)
        reprice_all(contract, products.values())
        profile = profile_of(
            self._store.alias(user).user_id, events, recent, products, self._half_life
        )
        for each in profile.recent_products:
            if product := products.get(each.product_id):
                each.title = title_of(product, language)
                each.variant_group_id = product.variant_group_id
        return profile

    async def consenting(self, user: UserContext, degradations: Degradations) -> UserContext:
        """Returns a user as others may know them; nobody where personalisation is refused."""
        actor = actor_of(user.user_id, user.session_id)
        try:
            if not actor or refuses(await self._store.refused(actor), PERSONALISATION):
                return UserContext()
        except UnavailableError as error:  # then it is not known what is refused
            degradations.note("profile", error)
            return UserContext()
        return user

    def note_lost_log(self, degradations: Degradations) -> None:
        """Notes that what is counted of users' events may be old, where the log is away."""
        if problem := self._store.problem:
            degradations.note("events", UnavailableError(problem))

    async def _products(
        self, ids: Sequence[str], degradations: Degradations
    ) -> Mapping[str, Product]:
        request = GetProductsRequest(product_ids=ids, read_mask=FieldMask(paths=_FIELDS))
        try:
            response = await self._clients.get_products(
                request, stage_timeout(self._clients.settings.budgets.profile)
            )
        except WhereforeError as error:
            # The ids alone still tell what was bought.
            degradations.note("profile", error)
            return {}
        return {product.id: product for product in response.products}


def recent_products(
    events: Sequence[events_pb.UserEvent], now: float | None = None
) -> list[RecentProduct]:
    """Returns the products of events (newest first), each once with its strongest action."""
    now = time.time() if now is None else now
    found: dict[str, RecentProduct] = {}
    strengths: dict[str, float] = {}
    for event in events:
        strength = weight_of(event)
        if not strength:
            continue
        for detail in event.products:
            known = found.get(detail.product_id)
            if known is None:
                if len(found) == MAX_RECENT:
                    continue
                known = found[detail.product_id] = RecentProduct(
                    product_id=detail.product_id, age_seconds=age_seconds(event, now)
                )
            if strength > strengths.get(detail.product_id, 0.0):
                strengths[detail.product_id] = strength
                known.action = ACTIONS[event.type]
    return list(found.values())


def profile_of(
    user_id: str,
    events: Sequence[events_pb.UserEvent],
    recent: Sequence[RecentProduct],
    products: Mapping[str, Product],
    half_life_seconds: float,
) -> UserProfile:
    """Returns the profile that events amount to: affinities are shares of decayed weights."""
    profile = UserProfile(user_id=user_id, recent_products=recent)
    brands: defaultdict[str, float] = defaultdict(float)
    categories: defaultdict[str, float] = defaultdict(float)
    spent: defaultdict[str, list[float]] = defaultdict(list)
    now = time.time()
    for event in events:
        weight = weight_of(event) * decay(age_seconds(event, now), half_life_seconds)
        for product in (products.get(d.product_id) for d in event.products):
            if product is None or not weight:
                continue
            if product.brand:
                brands[product.brand.lower()] += weight
            if product.category_path:
                categories[category_text(product.category_path)] += weight
            if event.type in _SPENDING and product.HasField("price"):
                spent[product.price.currency_code].append(product.price.amount)
    profile.brand_affinities.update(_shares(brands))
    profile.category_affinities.update(_shares(categories))
    profile.typical_prices.update({c: statistics.median(a) for c, a in spent.items()})
    return profile


def _shares(weights: Mapping[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {key: weight / total for key, weight in weights.items()} if total else {}
