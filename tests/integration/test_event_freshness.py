"""What a user did is in the next page, for many users at once, and for one again and again."""

import uuid

import grpc.aio
import pytest

from benchmarks.event_freshness import VIEWED, Shop, measure, section
from shared.suite import Suite

pytestmark = pytest.mark.suite
USERS = 12
# Of a kind that is looked at, so that enough of it is left to be shown.
LEAST_OF_A_KIND = 8


async def test_the_next_page_knows_of_the_event(suite: Suite) -> None:
    found = await measure(suite.target("orchestrator"), USERS, at_once=4)
    # Not some time: the very first page after the acknowledgement.
    assert found.first == USERS
    assert not found.never
    assert f"differed for {USERS} of {USERS} users" in section(found, 4, "the bundled catalogue")


async def test_each_next_page_is_about_what_was_looked_at_last(suite: Suite) -> None:
    user = f"about-{uuid.uuid4().hex}"
    async with grpc.aio.insecure_channel(suite.target("orchestrator")) as channel:
        shop = Shop(channel)
        kinds = [ids for ids in await shop.kinds(1_000) if len(ids) >= LEAST_OF_A_KIND][:3]
        assert len(kinds) == 3
        seen: set[str] = set()
        before = await shop.page(user)
        for ids in kinds:
            await shop.view(user, ids[:VIEWED])
            seen.update(ids[:VIEWED])
            page = await shop.page(user)
            assert len(set(page) & set(ids)) > len(set(before) & set(ids))
            assert not seen & set(page), "what was looked at is known already"
            before = page
