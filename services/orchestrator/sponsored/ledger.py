"""Charges: each on disk when it is acknowledged, each once, and none beyond the day's budget."""

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.durable_sqlite import make_durable

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS charges (
    ranking_id TEXT NOT NULL,
    product TEXT NOT NULL,
    campaign_id TEXT NOT NULL,
    day INTEGER NOT NULL,
    micros INTEGER NOT NULL CHECK (micros >= 0),
    PRIMARY KEY (ranking_id, product)
) WITHOUT ROWID, STRICT;
CREATE INDEX IF NOT EXISTS charges_by_day ON charges (day, campaign_id);
"""


@dataclass(frozen=True, slots=True)
class Click:
    """A click to be charged.

    Attributes:
        ranking_id: The ranking that showed the product: a click of one is charged once.
        product: What tells the product from others of the ranking.
        campaign_id: Who pays.
        price: In micros.
        budget: Of the campaign for a day, in micros.
    """

    ranking_id: str
    product: str
    campaign_id: str
    price: int
    budget: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What a campaign spent on a day.

    Attributes:
        day: Days since 1970.
        campaign_id: The campaign.
        clicks: That were charged.
        micros: Their sum.
    """

    day: int
    campaign_id: str
    clicks: int
    micros: int


def read_charges(path: Path) -> list[Spent]:
    """Returns what was spent, the newest day first, by a ledger that may be in use.

    Raises:
        sqlite3.Error: It is no ledger.
    """
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        rows = connection.execute(
            "SELECT day, campaign_id, sum(micros > 0), sum(micros) FROM charges "
            "GROUP BY day, campaign_id ORDER BY day DESC, campaign_id"
        )
        return [Spent(*row) for row in rows]


class Ledger:
    """The charges of one process, in a SQLite file. For several threads.

    Args:
        path: The file; made by `open`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._day = -1
        self._today: dict[str, int] = {}

    def open(self) -> None:
        """Opens the file, made where there is none.

        Raises:
            ValueError: It is no SQLite file, or is damaged.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        try:
            make_durable(connection)
            connection.executescript(_SCHEMA)
        except sqlite3.Error as error:
            connection.close()
            raise ValueError(f"{self._path} holds no charges: {error}") from error
        self._connection = connection

    def spent(self, campaign_id: str, day: int) -> int:
        """Returns what a campaign spent on a day, in micros."""
        with self._lock:
            self._turn_to(day)
            return self._today.get(campaign_id, 0)

    def charge(self, clicks: Sequence[Click], day: int) -> list[int]:
        """Charges clicks; durable when it returns.

        A click that was charged before is not charged again. One that comes when the budget of the
        day is spent costs nothing: the last one before it may go beyond by less than its price.

        Args:
            clicks: In the order in which they came.
            day: On which they are charged, days since 1970.

        Returns:
            What each was charged now, in micros.

        Raises:
            sqlite3.Error: It cannot be written; nothing was charged.
        """
        connection = self._opened()
        with self._lock:
            self._turn_to(day)
            known = dict(self._today)
            charged: list[int] = []
            connection.execute("BEGIN IMMEDIATE")
            try:
                for click in clicks:
                    spent = known.get(click.campaign_id, 0)
                    price = click.price if spent < click.budget else 0
                    done = connection.execute(
                        "INSERT INTO charges VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                        (click.ranking_id, click.product, click.campaign_id, day, price),
                    )
                    charged.append(price if done.rowcount else 0)
                    known[click.campaign_id] = spent + charged[-1]
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            self._today = known
            return charged

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.ProgrammingError("the ledger is not open")
        return self._connection

    def _turn_to(self, day: int) -> None:
        """Reads what was spent on a day, unless it is that at hand."""
        if day == self._day:
            return
        rows = self._opened().execute(
            "SELECT campaign_id, sum(micros) FROM charges WHERE day = ? GROUP BY campaign_id",
            (day,),
        )
        self._today = dict(rows.fetchall())
        self._day = day
