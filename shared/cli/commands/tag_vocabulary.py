"""What a shop makes for its tags: `wherefore tags vocabulary`, `train` and `propose`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shared.cli import failures, output
from shared.cli.options import Json

if TYPE_CHECKING:
    from services.reason.tags.vocabulary import Vocabulary

Catalogue = Annotated[
    Path | None, Parameter(help="The catalogue's file; the one that comes along when absent.")
]
Format = Annotated[str | None, Parameter(name="--format", help="Its format; guessed when absent.")]
VocabularyFile = Annotated[
    Path | None, Parameter(help="The shop's vocabulary; the lexicons' when absent.")
]


def vocabulary(
    catalogue: Catalogue = None,
    /,
    *,
    out: Annotated[Path, Parameter(help="The file to write; one that is there is kept.")],
    least: Annotated[int, Parameter(help="Products that must state a value.")] = 2,
    force: Annotated[bool, Parameter(negative="", help="Write over a file that is there.")] = False,
    format_: Format = None,
) -> int:
    """Make a vocabulary of a catalogue's own attributes.

    The file is TOML, for people to edit. WHEREFORE_REASON_TAGS_VOCABULARY names it to the
    service, which reads it again when it changes.

    For example:
        wherefore tags vocabulary --out vocabulary.toml

        wherefore tags vocabulary catalogue.jsonl --out vocabulary.toml --least 5
    """
    from services.reason.tags.builder import Limits, build_vocabulary
    from services.reason.tags.examples import examples_of
    from services.reason.tags.vocabulary_file import write_vocabulary
    from shared.cli.catalogue_rows import all_products

    if out.exists() and not force:
        raise failures.CommandError(
            f"{out} is there, and may have been edited", hint="--force writes over it"
        )
    _, products = all_products(catalogue, format_)
    made = build_vocabulary(examples_of(products), Limits(products=least))
    write_vocabulary(out, made)
    keys = len({term.key for term in made.terms})
    print(output.clean(f"{len(made.terms):,} terms of {keys:,} keys written to {out}"), flush=True)
    return failures.OK


def train(
    catalogue: Catalogue = None,
    /,
    *,
    out: Annotated[Path, Parameter(help="The model to write.")],
    vocabulary: VocabularyFile = None,
    format_: Format = None,
) -> int:
    """Learn from a catalogue's own attributes what no text names.

    Needs the extra `train`. WHEREFORE_REASON_TAGS_MODEL names the model to the service, beside
    its vocabulary.

    For example:
        wherefore tags train --vocabulary vocabulary.toml --out tags.npz

        wherefore tags train catalogue.jsonl --vocabulary vocabulary.toml --out tags.npz
    """
    from services.reason.tags.examples import examples_of
    from services.reason.tags.learn import learn
    from services.reason.tags.model import write_model
    from services.reason.tags.pairs import TooFewProductsError
    from shared.cli.catalogue_rows import all_products

    terms = _vocabulary(vocabulary)
    _, products = all_products(catalogue, format_)
    try:
        model = learn(examples_of(products), terms, tell=failures.say)
    except TooFewProductsError as error:
        raise failures.CommandError(str(error)) from error
    except ModuleNotFoundError as error:
        raise failures.CommandError(
            f"{error.name} is not installed", hint="pip install 'wherefore[train]'"
        ) from error
    write_model(out, model)
    print(output.clean(f"model of {len(model.terms):,} terms written to {out}"), flush=True)
    return failures.OK


def propose(
    catalogue: Catalogue = None,
    /,
    *,
    vocabulary: VocabularyFile = None,
    least: Annotated[int, Parameter(help="Products of a category that must share it.")] = 5,
    most: Annotated[int, Parameter(help="Phrases shown.")] = 50,
    format_: Format = None,
    json: Json = False,
) -> int:
    """Show phrases that products of a category share and no term has.

    What is worth a tag, add to the vocabulary; nothing here becomes one by itself.

    For example:
        wherefore tags propose --vocabulary vocabulary.toml

        wherefore tags propose catalogue.jsonl --least 20 --json
    """
    from services.reason.tags.messages import proposal_proto
    from services.reason.tags.passages import passages_of
    from services.reason.tags.proposals import PhraseCounter
    from shared.cli import tags_view
    from shared.cli.catalogue_rows import all_products

    counter = PhraseCounter(_vocabulary(vocabulary))
    _, products = all_products(catalogue, format_)
    for product in products:
        counter.add(product, passages_of(product))
    found = counter.proposals(least, most)
    if json:
        from google.protobuf.json_format import MessageToDict

        rows = [MessageToDict(proposal_proto(each)) for each in found]
        output.print_json({"proposals": rows})
    else:
        tags_view.show_proposals(found)
    return failures.OK


def _vocabulary(path: Path | None) -> Vocabulary:
    from services.reason.tags.builder import default_vocabulary
    from services.reason.tags.vocabulary_file import VocabularyError, read_vocabulary

    if path is None:
        return default_vocabulary()
    try:
        return read_vocabulary(path)
    except VocabularyError as error:
        raise failures.CommandError(str(error), code=failures.USAGE) from error
