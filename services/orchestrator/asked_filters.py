"""The filters that retrieval is asked: the caller's and the shop's, or wider ones of an account."""

from services.orchestrator.terms.price_check import PriceCheck


def asked_filters(check: PriceCheck | None, filter_text: str, rules: str = "") -> tuple[str, str]:
    """Returns the caller's filter and that of the rules, as retrieval is asked them.

    Args:
        check: The conditions on prices of an account, which retrieval cannot tell; None without.
        filter_text: The caller's filter.
        rules: Filter of the shop's rules.
    """
    return (filter_text, rules) if check is None else (check.asked, check.rules)
