"""Terms on messages: what an answer tells of them, and products as an account has them."""

from collections.abc import Iterable
from typing import Final

from services.orchestrator.terms.contract import Contract, Source
from shared.filter_syntax import MAX_LENGTH, And, Expression, format_filter, parse_filter
from wherefore.common.v1.product_pb2 import Product
from wherefore.orchestrator.v1 import account_terms_pb2 as pb

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
    """Gives a product the price of an account, the catalogue's being what it is reduced from.

    For all that compares prices or speaks of them: ranking, orders, reasons.
    """
    if terms.source == pb.TERMS_SOURCE_LIST:
        return
    own, listed = terms.unit_price, terms.list_price
    product.price.Clear()
    product.price.currency_code, product.price.amount = own.currency_code, own.amount
    if listed.currency_code == own.currency_code and listed.amount > own.amount:
        product.price.list_amount = listed.amount


def reprice_all(contract: Contract | None, products: Iterable[Product]) -> None:
    """Gives products the prices of an account; those of the catalogue stay without one."""
    if contract is not None:
        for product in products:
            reprice(product, terms_of(contract, product))


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
