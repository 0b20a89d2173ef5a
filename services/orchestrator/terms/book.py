"""The terms in force: read at the start and again whenever one of their files changes."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Final

from services.orchestrator.fallback import Degradations
from services.orchestrator.terms.contract import AgreedPrice, Contract, PartyTerms, Rebate
from services.orchestrator.terms.money import to_minor
from services.orchestrator.terms.price_list import read_prices
from services.orchestrator.terms.settings import TermsSettings
from services.orchestrator.terms.terms_file import (
    MAX_CONDITION,
    Account,
    Discount,
    Party,
    PriceRow,
    TermsFile,
)
from services.orchestrator.watched_book import WatchedBook
from shared.errors import InvalidArgumentError, UnavailableError
from shared.filter_syntax import join_and
from shared.text.normalise import fold
from shared.yaml_file import YamlFileError, read_yaml
from wherefore.common.v1.diagnostics_pb2 import Degradation

STAGE: Final = "terms"
FIELD: Final = "user.account_id"
MOST_SHOWN: Final = 100
"""Accounts that the demo page offers."""
_REFUSED: Final = "the files are refused as they are now; the log says why"


@dataclass(frozen=True, slots=True)
class Terms:
    """All that the files say.

    Attributes:
        contracts: By account or group.
        accounts: Those of them that are no groups.
        condition: Filter that products meet which callers without an account may be shown.
        version: Digest of the files.
        price_count: Prices that were agreed.
    """

    contracts: Mapping[str, Contract] = field(default_factory=dict[str, Contract])
    accounts: Sequence[str] = ()
    condition: str = ""
    version: str = ""
    price_count: int = 0


class TermsBook:
    """Keeps the terms of the files. One for the process.

    Args:
        settings: Name the files.
    """

    def __init__(self, settings: TermsSettings) -> None:
        prices = settings.prices_file
        self._on = settings.file is not None
        self._demo = settings.demo
        self.book: WatchedBook[Terms] = WatchedBook(
            settings.file,
            partial(read_terms, prices=prices),
            YamlFileError,
            poll_seconds=settings.poll_seconds,
            stage=STAGE,
            what="terms",
            beside=() if prices is None else (prices,),
        )

    @property
    def version(self) -> str:
        """Digest of the terms in force; empty without any."""
        return "" if self.book.content is None else self.book.content.version

    @property
    def shown_accounts(self) -> Sequence[str]:
        """Accounts that visitors of the demo page may look as; none where that is off."""
        if not self._demo or self.book.content is None:
            return ()
        return self.book.content.accounts[:MOST_SHOWN]

    def contract(self, account_id: str) -> Contract | None:
        """Returns the terms of an account; None for nobody's.

        Raises:
            InvalidArgumentError: There is no such account.
            UnavailableError: The files were wrong from the start: what it is asked is not known.
        """
        if not account_id:
            return None
        if not self._on:
            raise InvalidArgumentError.of(FIELD, "this shop has no terms of accounts: leave it out")
        if self.book.content is None:
            raise UnavailableError("the terms of accounts cannot be read")
        found = self.book.content.contracts.get(account_id)
        if found is None:
            raise InvalidArgumentError.of(FIELD, "there are no terms of such an account")
        return found

    def condition(self, contract: Contract | None) -> str:
        """Returns the filter that products meet which may be shown; empty for all."""
        if contract is not None:
            return contract.condition
        return "" if self.book.content is None else self.book.content.condition

    def note(self, degradations: Degradations) -> None:
        """Notes that the files are refused as they are now.

        Why stands in the log alone: it may name an account's prices, and everybody is told.
        """
        if (problem := self.book.problem) is not None:
            told = Degradation()
            told.CopyFrom(problem)
            told.detail = _REFUSED
            degradations.pass_on([told])


def read_terms(path: Path, prices: Path | None = None) -> Terms:
    """Reads a file, and the file of prices that belongs to it.

    Raises:
        YamlFileError: One of them cannot be read, or is wrong; the text names the place.
    """
    version = _digest(path, prices)  # first: what changes meanwhile is another version
    file = read_yaml(path, TermsFile)
    agreed: dict[str, dict[str, AgreedPrice]] = {}
    for party in file.parties:
        agreed[party.id] = {
            row.product: _agreed(row, file.currency, f"{path}: {party.id}") for row in party.prices
        }
    if prices is not None:
        for line, row in read_prices(prices):
            where = f"{prices}, line {line}"
            if row.party not in agreed:
                raise YamlFileError(f"{where}: for: there is no account or group {row.party!r}")
            known = agreed[row.party]
            if row.product in known:
                raise YamlFileError(f"{where}: product: {row.product!r} is there twice")
            known[row.product] = _agreed(row, file.currency, where)
    terms = {
        party.id: PartyTerms(party.id, agreed[party.id], _rebates(party.discounts))
        for party in file.parties
    }
    groups = {group.id: group for group in file.groups}
    contracts: dict[str, Contract] = {}
    for party in file.parties:
        group = groups.get(party.group or "") if isinstance(party, Account) else None
        line = [party] if group is None else [party, group]
        condition = _condition(file, line, f"{path}: {party.id}")
        owners = [terms[each.id] for each in line]
        contracts[party.id] = Contract(party.id, owners, file.currency, condition)
    return Terms(
        contracts=contracts,
        accounts=tuple(account.id for account in file.accounts),
        condition=_condition(file, (), f"{path}: reserved"),
        version=version,
        price_count=sum(map(len, agreed.values())),
    )


def _agreed(row: PriceRow, currency: str, where: str) -> AgreedPrice:
    def minor(name: str, amount: Decimal) -> int:
        try:
            return to_minor(amount, currency)
        except ValueError as error:
            raise YamlFileError(f"{where}: {row.product}: {name}: {error}") from error

    unit = None if row.price is None else minor("price", row.price)
    breaks = tuple((q, minor(f"breaks.{q}", row.breaks[q])) for q in sorted(row.breaks))
    return AgreedPrice(unit, breaks, row.minimum or 0, row.step or 0)


def _rebates(discounts: Iterable[Discount]) -> dict[tuple[str, str], Rebate]:
    return {
        (fold(each.brand or ""), fold(each.category or "")): Rebate(
            each.percent, tuple(sorted(each.breaks.items()))
        )
        for each in discounts
    }


def _condition(file: TermsFile, parties: Sequence[Party], where: str) -> str:
    """Returns the filter of what an account and its group, or nobody, may be shown."""
    names = {party.id for party in parties}
    parts = [f"NOT ({each.condition})" for each in file.reserved if names.isdisjoint(each.parties)]
    parts += [f"NOT ({each.hidden.condition})" for each in parties if each.hidden is not None]
    parts += [each.only.condition for each in parties if each.only is not None]
    if (length := sum(map(len, parts))) > MAX_CONDITION:
        raise YamlFileError(
            f"{where}: what hides products is {length:,} characters as a filter, at most"
            f" {MAX_CONDITION:,}: name categories or tags"
        )
    return join_and(*parts)


def _digest(*paths: Path | None) -> str:
    found = hashlib.blake2b(digest_size=16)
    for path in paths:
        if path is None:
            continue
        try:
            with path.open("rb") as file:
                found.update(hashlib.file_digest(file, "blake2b").digest())
        except OSError as error:
            raise YamlFileError(f"{path}: {error.strerror or error}") from error
    return found.hexdigest()
