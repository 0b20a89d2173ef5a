"""Terms on messages: what an answer tells of them, and products as an account has them."""

from collections.abc import Iterable, Mapping
from typing import Final

from services.orchestrator.terms.contract import Contract, Source
from shared.filter_syntax import MAX_LENGTH, And, Expression, format_filter, parse_filter
from wherefore.common.v1.product_pb2 import Product
from wherefore.orchestrator.v1 import account_terms_pb2 as pb
from wherefore.retrieval.v1.candidate_pb2 import Candidate

READ: Final = ("brand", "category_path", "price")
"""Fields of a product that its terms depend on, beside its id."""
_SOURCES: Final[dict[Source, "pb.TermsSource.ValueType"]] = {
    Source.LIST: pb.TERMS_SOURCE_LIST,
    Source.DISCOUNT: pb.TERMS_SOURCE_DISCOUNT,
    Source.CONTRACT: pb.TERMS_SOURCE_CONTRACT,
}


def terms_of(contract: Contract, product: Product) -> pb.AccountTerms:
    """Returns what an account is told of a product of the catalogue."""
    offer = contract.offer(product)
    terms = pb.AccountTerms(
        account_id=contract.account_id,
        source=_SOURCES[offer.source],
        party_id=offer.party,
        minimum_quantity=offer.minimum,
        quantity_step=offer.step,
        quantity_breaks=[
            pb.QuantityBreak(minimum_quantity=quantity, unit_amount=amount)
            for quantity, amount in offer.breaks
        ],
    )
    if offer.amount is not None:
        terms.unit_price.currency_code, terms.unit_price.amount = offer.currency, offer.amount
    if product.HasField("price"):
        terms.list_price.currency_code = product.price.currency_code
        terms.list_price.amount = product.price.amount
    return terms


def reprice(product: Product, terms: pb.AccountTerms) -> None:
    """Gives a product of the catalogue the price that an account is told.

    For all that compares prices or speaks of them: ranking, orders, reasons.
    """
    if terms.source != pb.TERMS_SOURCE_LIST:
        _set_price(product, terms.unit_price.currency_code, terms.unit_price.amount)


def reprice_all(contract: Contract | None, products: Iterable[Product]) -> None:
    """As `reprice`, for products that nobody is told of; without an account they stay."""
    if contract is None or not contract.changes_prices:
        return
    for product in products:
        offer = contract.offer(product)
        if offer.source is not Source.LIST and offer.amount is not None:
            _set_price(product, offer.currency, offer.amount)


def priced_by(
    contract: Contract | None, candidates: Iterable[Candidate]
) -> Mapping[str, Product] | None:
    """Returns repriced candidates' products by id; None where no account has other prices."""
    if contract is None or not contract.changes_prices:
        return None
    return {candidate.product.id: candidate.product for candidate in candidates}


def _set_price(product: Product, currency: str, amount: float) -> None:
    """Sets a price; where it is lower, the catalogue's becomes what it is reduced from."""
    price = product.price
    reduced = price.currency_code == currency and price.amount > amount
    price.list_amount = price.amount if reduced else 0.0
    price.currency_code, price.amount = currency, amount


def without(applied: str, condition: str) -> str:
    """Returns a filter without the parts of another one that was joined to it.

    What hides products would name them to those whom they are hidden from.
    """
    if not condition or not applied:
        return applied
    hidden = _operands(condition)
    left = tuple(each for each in _operands(applied) if each not in hidden)
    if not left:
        return ""
    return format_filter(left[0] if len(left) == 1 else And(left))


def _operands(text: str) -> tuple[Expression, ...]:
    tree = parse_filter(text, max_length=10 * MAX_LENGTH)
    return tree.operands if isinstance(tree, And) else (tree,)
