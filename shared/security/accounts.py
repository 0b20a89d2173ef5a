"""Who may be answered by the terms of which account: prices are nobody's business but theirs."""

from typing import Final

from shared.errors import PermissionDeniedError
from shared.request_context import current_caller
from shared.security.policy import Role

_OF_ALL: Final = frozenset({Role.SHOP, Role.OPERATOR})
"""Roles that know who signed in, and may name any account of the tenant."""
_OTHER_ACCOUNT: Final = "the credential is not for this account"


def check_account(account_id: str) -> None:
    """Refuses a caller whose credential is not for an account; nobody is refused none.

    A credential that names accounts is for these alone. One that names none is for all of them
    where it is the shop's back end, and for no account where it sits in a browser. While security
    is off nobody is refused.

    Raises:
        PermissionDeniedError: It is not for this account, whether there is one of the name or not.
    """
    if account_id and not may_name(account_id):
        raise PermissionDeniedError(_OTHER_ACCOUNT)


def may_name(account_id: str) -> bool:
    """Whether the caller's credential is for an account; see `check_account`."""
    caller = current_caller()
    if not caller.roles:
        return True
    return account_id in caller.accounts if caller.accounts else bool(caller.roles & _OF_ALL)
