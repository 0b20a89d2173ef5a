"""What is known of the version of a catalogue that others write."""

import asyncio

import pytest

from services.orchestrator.answer_cache import CatalogueVersion
from shared.errors import UnavailableError


async def test_a_version_goes_back_only_with_a_catalogue_begun_anew():
    version = CatalogueVersion()
    for seen in (3, 7, 5):
        version.note(seen)
    assert version.value == 7
    looks = iter([6, 8, 2, UnavailableError("gone"), 2])

    async def look() -> int:
        found = next(looks, None)
        if found is None:
            raise asyncio.CancelledError
        if isinstance(found, Exception):
            raise found
        seen.append((version.value, found))
        return found

    seen = []
    with pytest.raises(asyncio.CancelledError):
        await version.follow(look, 0.001)
    assert seen == [(7, 6), (7, 8), (8, 2), (8, 2)]
    assert version.value == 2
