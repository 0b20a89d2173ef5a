"""Command line of the generator."""

from pathlib import Path
from typing import Annotated

import cyclopts
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from shared.catalogue.generate.catalogue import DEFAULT_SEED, generate_products, planned_count
from shared.catalogue.generate.files import write_catalogue
from shared.catalogue.generate.vocabulary import read_vocabulary
from shared.catalogue.readers import bundled_catalogue_path

app = cyclopts.App(name="python -m shared.catalogue.generate", help_format="plaintext")


@app.default
def generate(
    *,
    seed: Annotated[int, cyclopts.Parameter(help="Seed of all chance.")] = DEFAULT_SEED,
    out: Annotated[Path | None, cyclopts.Parameter(help="File to write, gzipped.")] = None,
) -> None:
    """Generate the bundled catalogue of invented products, in Chinese and English.

    Without --out the catalogue inside the package is written anew.
    """
    path = out or bundled_catalogue_path()
    vocabulary = read_vocabulary()
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        products = progress.track(
            generate_products(vocabulary, seed),
            total=planned_count(vocabulary),
            description="Products",
        )
        count = write_catalogue(path, products)
    console.print(f"Wrote {count:,} products, {path.stat().st_size:,} bytes: {path}")
