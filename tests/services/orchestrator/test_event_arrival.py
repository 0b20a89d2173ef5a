"""Late and repeated events: whatever the order of arrival, the same comes of them."""

import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.orchestrator.choices import QueryChoices
from services.orchestrator.completion.searches import SearchCounts
from services.orchestrator.event_files.store import SqliteEventStore
from services.orchestrator.event_store import StoredEvent
from services.orchestrator.events import EventLog
from services.orchestrator.experiments.book import Experiments
from services.orchestrator.popularity import Popularity
from services.orchestrator.profile import profile_of, recent_products
from services.orchestrator.shown import ShownPages
from services.orchestrator.tokens import TokenSigner
from tests.services.orchestrator.sponsored.no_charges import no_charges
from wherefore.common.v1 import user_event_pb2 as pb
from wherefore.common.v1.product_pb2 import Price, Product
from wherefore.common.v1.user_profile_pb2 import UserContext, UserProfile

NOW = int(time.time())
KINDS = [kind for kind in pb.UserEventType.values() if kind]
PRODUCTS = {
    f"p{n}": Product(
        id=f"p{n}",
        brand=f"brand {n % 2}",
        category_path=["Home", f"kind {n % 3}"],
        price=Price(currency_code="EUR", amount=10.0 + n),
    )
    for n in range(5)
}
ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.sampled_from(["ann", "bob"]),
        st.integers(0, 40),  # hours ago; many at the same time
        st.lists(st.sampled_from(sorted(PRODUCTS)), min_size=1, max_size=2, unique=True),
        st.sampled_from(["", "kettle", "steel kettle"]),
        st.integers(1, 5),
    ),
    max_size=12,
)


def events(actions) -> list[pb.UserEvent]:
    made = []
    for number, (kind, user, hours, products, query, rating) in enumerate(actions):
        event = pb.UserEvent(id=f"e{number}", type=kind, user_id=user, query=query)
        event.event_time.FromSeconds(NOW - 3_600 * hours)
        event.rating = rating if kind == pb.USER_EVENT_TYPE_REVIEW else 0
        for product_id in products:
            event.products.add(product_id=product_id, quantity=1)
        made.append(event)
    return made


class Arrived:
    """What comes of events in one order of arrival."""

    def __init__(self, folder: Path, store: SqliteEventStore) -> None:
        self.store = store
        self.popularity, self.searches = Popularity(7), SearchCounts()
        self.choices = QueryChoices(7)
        # The landmark is the time of making, which would differ between the two.
        self.popularity._landmark = self.choices._landmark = float(NOW)
        self.log = EventLog(
            store,
            self.popularity,
            self.searches,
            self.choices,
            TokenSigner(b"k" * 32),
            shown=ShownPages(0, 1.0),
            experiments=Experiments(None, 1.0, folder / "experiments.json", str),
            charger=no_charges(folder),
        )

    async def profile(self, user: str) -> UserProfile:
        found = await self.store.recent(f"u:{user}", 300)
        return profile_of(user, found, recent_products(found, NOW), PRODUCTS, 7 * 86_400.0)


def alike(one: UserProfile, other: UserProfile) -> None:
    def ids(profile: UserProfile) -> list[tuple[str, str, float]]:
        return [(p.product_id, p.action, p.age_seconds) for p in profile.recent_products]

    assert ids(one) == ids(other)
    assert dict(one.typical_prices) == dict(other.typical_prices)
    for name in ("brand_affinities", "category_affinities"):
        assert dict(getattr(one, name)) == pytest.approx(dict(getattr(other, name)), rel=1e-6)


@settings(max_examples=12, deadline=None)
@given(ACTIONS, st.randoms(use_true_random=False))
async def test_the_order_of_arrival_says_nothing(actions, chance) -> None:
    in_order = events(actions)
    shuffled = [*in_order, *in_order[:3]]  # some are sent again
    chance.shuffle(shuffled)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stores = [SqliteEventStore(folder / f"{n}.sqlite") for n in range(2)]
        for store in stores:
            await store.open()
        one, other = (Arrived(folder, store) for store in stores)
        await one.log.write(in_order)
        while shuffled:
            batch = [shuffled.pop() for _ in range(min(len(shuffled), chance.randint(1, 4)))]
            await other.log.write(batch)
        for user in ("ann", "bob"):
            alike(await one.profile(user), await other.profile(user))
        assert dict(other.popularity._sums) == pytest.approx(dict(one.popularity._sums))
        assert sorted(one.searches.snapshot()) == sorted(other.searches.snapshot())
        assert dict(one.choices._chosen) == {
            key: {p: pytest.approx(users) for p, users in products.items()}
            for key, products in other.choices._chosen.items()
        }

        # And without a user, as if they had never come.
        _, gone = await other.store.erase(UserContext(user_id="ann"))
        other.log.uncount(gone)
        without = Arrived(folder, one.store)
        kept = [event for event in in_order if event.user_id == "bob"]
        without.log.uncount([])
        for event in kept:
            without.log._count(StoredEvent(event, duplicate=False), without.log._counts)
        assert dict(other.popularity._sums) == pytest.approx(
            dict(without.popularity._sums), rel=1e-6, abs=1e-9
        )
        assert sorted(other.searches.snapshot()) == sorted(without.searches.snapshot())
        assert set(other.choices._chosen) == set(without.choices._chosen)
        for store in stores:
            await store.close()
