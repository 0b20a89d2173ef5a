"""`wherefore up`: starts the suite and fills it the first time."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shared.cli import failures
from shared.cli.commands.import_ import CatalogueFormat
from shared.cli.options import NoTriton

if TYPE_CHECKING:
    from shared.security.settings import SecuritySettings
    from shared.suite import Suite

START_SECONDS = 120.0
WATCH_SECONDS = 2.0


def up(
    *,
    catalogue: Annotated[
        Path | None,
        Parameter(help="Import this; without it the bundled catalogue, while the index is empty."),
    ] = None,
    format: Annotated[  # noqa: A002 - the option is called --format
        CatalogueFormat | None, Parameter(help="Of the catalogue; guessed when absent.")
    ] = None,
    no_import: Annotated[bool, Parameter(negative="", help="Import nothing.")] = False,
    no_triton: NoTriton = False,
    foreground: Annotated[
        bool, Parameter(negative="", help="Stay, and stop the suite on Ctrl-C or SIGTERM.")
    ] = False,
) -> int:
    """Start the suite and import a catalogue the first time.

    Processes that run already are left alone. A catalogue that is in already costs little.

    For example:

        wherefore up

        wherefore up --catalogue products.csv

        wherefore up --no-import --no-triton --foreground
    """
    from shared.cli.config import CliSettings
    from shared.cli.suite_options import TritonChoice, remember_triton
    from shared.suite import Suite

    settings = CliSettings()
    choice: TritonChoice = False if no_triton else "auto"
    suite = Suite(settings.home, triton=choice)
    remember_triton(settings.home, choice)
    if foreground:
        # A supervisor's SIGTERM is to be as clean as Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            _start(suite, settings.home, catalogue, format, import_wanted=not no_import)
            return _watch(suite)
        finally:
            suite.down()
    _start(suite, settings.home, catalogue, format, import_wanted=not no_import)
    return failures.OK


def _start(
    suite: Suite,
    home: Path,
    catalogue: Path | None,
    format: str | None,  # noqa: A002 - named as the option
    *,
    import_wanted: bool,
) -> None:
    from shared.cli import suite_view
    from shared.suite import SuiteError

    begun = time.monotonic()
    try:
        with suite_view.process_progress() as tell:
            suite.up(START_SECONDS, tell)
    except SuiteError as error:
        raise failures.CommandError(
            str(error), hint="`wherefore down` stops what was started"
        ) from error
    failures.say(f"ready after {time.monotonic() - begun:.1f} s")
    products = asyncio.run(_fill(suite, home, catalogue, format, import_wanted=import_wanted))
    target, http_port = suite.target("orchestrator"), suite.ports.orchestrator_http
    print(what_next(target, http_port, products, suite.security))


async def _fill(
    suite: Suite,
    home: Path,
    catalogue: Path | None,
    format: str | None,  # noqa: A002 - named as the option
    *,
    import_wanted: bool,
) -> int:
    """Import what is to be imported; returns the number of products there are."""
    from shared.catalogue import bundled_catalogue_path
    from shared.cli import import_view
    from shared.cli.catalogue_import import import_file
    from shared.cli.connection import connect

    products = await _count_products(suite.target("retrieval"))
    if not import_wanted or (products and catalogue is None):
        return products
    target = suite.target("orchestrator")
    file = catalogue or bundled_catalogue_path()
    failures.say(f"importing {catalogue or 'the bundled catalogue'}")
    async with connect(target, retry=False) as channel:
        outcome = await import_file(
            channel, file, format, target=target, checkpoints=home / "imports"
        )
    for line in import_view.summary_lines(outcome.progress):
        failures.say(line)
    return await _count_products(suite.target("retrieval"))


async def _count_products(target: str) -> int:
    from shared.cli.connection import connect
    from wherefore.retrieval.v1.retrieval_service_pb2 import StatsRequest
    from wherefore.retrieval.v1.retrieval_service_pb2_grpc import RetrievalServiceStub

    async with connect(target) as channel:
        stats = await RetrievalServiceStub(channel).Stats(StatsRequest(), timeout=30)
    return stats.product_count


def what_next(target: str, http_port: int, products: int, security: SecuritySettings) -> str:
    """What to do with a running suite, to be copied."""
    method = "wherefore.orchestrator.v1.SearchService/Search"
    body = '{"query": "wireless headphones under 100"}'
    if security.enabled:
        key = f'-H "x-api-key: $(cat {security.operator_token_file})" --reflect-header "*"'
        return f"""
{products:,} products are in, and security is on. Try:

  Search      wherefore search "wireless headphones under 100"
  buf         buf curl --protocol grpc --cacert {security.ca_file} {key} -d '{body}' https://{target}/{method}
  Stop        wherefore down"""
    return f"""
{products:,} products are in. Try:

  Demo page   http://127.0.0.1:{http_port}/
  Search      wherefore search "wireless headphones under 100"
  buf         buf curl --protocol grpc --http2-prior-knowledge -d '{body}' http://{target}/{method}
  grpcurl     grpcurl -plaintext -d '{body}' {target} {method}
  Stop        wherefore down"""


def _watch(suite: Suite) -> int:
    """Wait until a process ends; being interrupted is the ordinary end."""
    failures.say("running; Ctrl-C stops it")
    try:
        while True:
            time.sleep(WATCH_SECONDS)
            gone = [row.name for row in suite.status() if row.state == "stopped"]
            if gone:
                raise failures.CommandError(
                    f"{', '.join(gone)} ended", hint=f"its log is in {suite.home / 'logs'}"
                )
    except KeyboardInterrupt:
        failures.say("stopping")
        return failures.OK
