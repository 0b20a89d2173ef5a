"""What a user did is in the next page, for many users at once."""

import pytest

from benchmarks.event_freshness import measure, section
from shared.suite import Suite

pytestmark = pytest.mark.suite
USERS = 12


async def test_the_next_page_knows_of_the_event(suite: Suite) -> None:
    found = await measure(suite.target("orchestrator"), USERS, at_once=4)
    # Not some time: the very first page after the acknowledgement.
    assert found.first == USERS
    assert not found.never
    assert f"differed for {USERS} of {USERS} users" in section(found, 4, "the bundled catalogue")
