"""`wherefore terms`: contract prices and what else is agreed with accounts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from shared.cli import failures, output
from shared.cli.options import Json

if TYPE_CHECKING:
    from services.orchestrator.terms.book import Terms

app = App(name="terms", help="Check a file of terms, and see what an account is asked.")

File = Annotated[Path, Parameter(help="The file of terms, YAML.")]
Prices = Annotated[
    Path | None, Parameter(help="The file of prices that belongs to it, JSON lines.")
]


@app.command
def check(file: File, /, *, prices: Prices = None, json: Json = False) -> int:
    """Check a file of terms: what is wrong is told with its place.

    For example:
        wherefore terms check terms.yaml

        wherefore terms check terms.yaml --prices prices.jsonl
    """
    found = _terms(file, prices)
    if json:
        output.print_json({"parties": len(found.contracts), "prices": found.price_count})
    else:
        print(f"{len(found.contracts):,} accounts and groups, {found.price_count:,} prices")
    return failures.OK


@app.command
def price(
    file: File,
    /,
    *,
    account: Annotated[str, Parameter(help="Account or group.")],
    product: Annotated[str, Parameter(help="Id of the product.")],
    listed: Annotated[
        str, Parameter(name="--list-price", help='In the catalogue, such as "19.99 EUR".')
    ] = "",
    brand: Annotated[str, Parameter(help="Its brand.")] = "",
    category: Annotated[
        tuple[str, ...], Parameter(help="A level of its category; repeat it.")
    ] = (),
    prices: Prices = None,
    json: Json = False,
) -> int:
    """Show what an account is asked for a product, before the file is put into service.

    For example:
        wherefore terms price terms.yaml --account acme --product kitchen-0001

        wherefore terms price terms.yaml --account acme --product p9 --list-price "19.99 EUR"
    """
    from google.protobuf.json_format import MessageToDict

    from services.orchestrator.terms.applied import terms_of
    from wherefore.common.v1.product_pb2 import Product

    contract = _terms(file, prices).contracts.get(account)
    if contract is None:
        raise failures.CommandError(f"{file}: there is no account or group {account!r}")
    wanted = Product(id=product, brand=brand, category_path=category)
    if listed:
        amount, _, currency = listed.partition(" ")
        try:
            wanted.price.amount, wanted.price.currency_code = float(amount), currency
        except ValueError as error:
            raise failures.CommandError(
                f'{listed!r} is no price; give one such as "19.99 EUR"', code=failures.USAGE
            ) from error
    terms = terms_of(contract, wanted)
    if json:
        output.print_json(MessageToDict(terms))
        return failures.OK
    offer = contract.offer(wanted)
    if offer.amount is None:
        print("no price")
    else:
        by = f" of {offer.party}" if offer.party else ""
        print(f"{offer.amount:,} {offer.currency} ({offer.source}{by})")
    for quantity, amount in offer.breaks:
        print(f"{amount:,} {offer.currency} from {quantity:,} on")
    print(f"at least {offer.minimum:,}, in steps of {offer.step:,}")
    return failures.OK


def _terms(file: Path, prices: Path | None) -> Terms:
    from services.orchestrator.terms.book import read_terms
    from shared.yaml_file import YamlFileError

    try:
        return read_terms(file, prices)
    except YamlFileError as error:
        raise failures.CommandError(str(error)) from error
