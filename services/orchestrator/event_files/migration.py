"""Takes over a log of before events were sealed: plain rows become sealed ones, then are wiped."""

import sqlite3
from typing import Final

from services.orchestrator.event_files.sealed_log import SealedLog
from wherefore.common.v1.user_event_pb2 import UserEvent

_CHUNK: Final = 2_000
# Files of before events had places get them by time.
_ORDER: Final = """
CREATE TABLE IF NOT EXISTS event_order (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE
);
INSERT OR IGNORE INTO event_order (id) SELECT id FROM events ORDER BY at, id;
"""


def seal_plain_events(connection: sqlite3.Connection, log: SealedLog) -> int:
    """Seals what a file holds in the tables of before; returns how many events it did.

    A process that dies on the way goes on where it stopped at the next start.
    """
    if not _has_plain_events(connection):
        return 0
    connection.executescript(_ORDER)
    count = 0
    while rows := connection.execute(
        "SELECT id, payload FROM event_order JOIN events USING (id) ORDER BY sequence LIMIT ?",
        (_CHUNK,),
    ).fetchall():
        log.append([[UserEvent.FromString(payload) for _, payload in rows]])
        # After a crash here, they are found to be there already.
        with connection:
            ids = [(event_id,) for event_id, _ in rows]
            connection.executemany("DELETE FROM events WHERE id = ?", ids)
            connection.executemany("DELETE FROM event_order WHERE id = ?", ids)
        count += len(rows)
    log.log_id(new=True)  # places are others now, and users go by aliases
    connection.executescript("DROP TABLE events; DROP TABLE event_order; VACUUM;")
    return count


def _has_plain_events(connection: sqlite3.Connection) -> bool:
    found = connection.execute(
        "SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = 'events'"
    ).fetchone()
    return found is not None
