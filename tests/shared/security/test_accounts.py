"""Who may be answered by whose terms: a table, caller by caller."""

import pytest

from shared.errors import PermissionDeniedError
from shared.request_context import NOBODY, Caller, set_caller
from shared.security.accounts import check_account


def caller(*roles: str, accounts: tuple[str, ...] = ()) -> Caller:
    return Caller("web", "", frozenset(roles), frozenset(accounts))


@pytest.fixture(autouse=True)
def nobody_afterwards():
    yield
    set_caller(NOBODY)


@pytest.mark.parametrize(
    ("who", "acme", "bolt"),
    [
        (NOBODY, True, True),  # security is off
        (caller("shopper"), False, False),
        (caller("shopper", accounts=("acme",)), True, False),
        (caller("shopper", accounts=("acme", "bolt")), True, True),
        (caller("shop"), True, True),
        (caller("shop", accounts=("acme",)), True, False),
        (caller("shop", "shopper"), True, True),
        (caller("operator"), True, True),
        (caller("catalogue"), False, False),
        (caller("privacy"), False, False),
        (caller("service.assistant"), False, False),
    ],
)
def test_a_caller_is_answered_by_the_terms_of_its_own_accounts(who, acme, bolt):
    set_caller(who)
    check_account("")  # nobody's terms are everybody's
    for account, allowed in (("acme", acme), ("bolt", bolt)):
        if allowed:
            check_account(account)
        else:
            with pytest.raises(PermissionDeniedError) as raised:
                check_account(account)
            assert account not in raised.value.message
