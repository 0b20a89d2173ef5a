"""Pages of reasons of a suite of its own, by what words them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.evaluation.reasons.collect import ReasonPage

TEMPLATE = "template"


async def pages_of_suite(
    catalogue: Path,
    queries: Sequence[str],
    format: str | None = None,  # noqa: A002 - named as the option
    *,
    triton: bool = True,
    generators: Sequence[str | None] = (None,),
) -> list[list[ReasonPage]]:
    """Search a catalogue, each query twice; see `collect_pages`.

    The catalogue is imported once; for each generator the suite starts anew on the same data.

    Args:
        catalogue: To import.
        queries: To search.
        format: Of the catalogue; guessed when None.
        triton: Whether to run models in Triton, where it can start.
        generators: What words the reasons: "template", a model's name, or None for the default.

    Returns:
        The pages of each generator.
    """
    from shared.channel import open_channel
    from shared.cli.catalogue_import import import_whole
    from shared.cli.connection import connect
    from shared.cli.evaluation_progress import query_progress
    from shared.cli.private_suite import private_suite
    from shared.evaluation.reasons.collect import collect_pages

    found: list[list[ReasonPage]] = []
    with tempfile.TemporaryDirectory(prefix="wherefore-") as folder:
        for generator in generators:
            settings = _settings(generator)
            async with private_suite(Path(folder), triton=triton, variables=settings) as own:
                target = own.targets.orchestrator
                async with connect(target, retry=False) as channel:
                    if not found:
                        await import_whole(channel, catalogue, format, target=target)
                    retrieval = open_channel(own.targets.retrieval)
                    try:
                        with query_progress(len(queries)) as on_query:
                            found.append(
                                await collect_pages(channel, retrieval, queries, on_query=on_query)
                            )
                    finally:
                        await retrieval.close()
    return found


def _settings(generator: str | None) -> dict[str, str]:
    if generator is None:
        return {}
    return {"WHEREFORE_REASON_MODEL": "" if generator == TEMPLATE else generator}
