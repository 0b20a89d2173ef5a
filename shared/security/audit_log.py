"""The audit log: who did what, one JSON object a line, each bound to the one before."""

import asyncio
import datetime
import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from shared.errors import UnavailableError
from shared.metrics import AUDIT_SUPPRESSED
from shared.request_context import NOBODY, Caller, current_request_id
from shared.security.audit_chain import ChainedFile, Entry
from shared.security.rate_limit import RateLimiter

_REFUSED_PER_SECOND: Final = 10.0
_REFUSED_BURST: Final = 100
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(slots=True)
class AuditRecord:
    """What is told of one call."""

    method: str = ""
    peer: str = ""
    caller: Caller = NOBODY
    code: str = ""
    """gRPC code that it ended with; BEGUN where it has only begun."""
    targets: list[str] = field(default_factory=list[str])
    """What it was about, such as ids of products; users as keyed hashes."""
    messages: int = 0
    """Request messages."""


class AuditLog:
    """Appends to one file; an entry is on disk before `write` returns.

    Refused calls are written at most ten a second in the long run, so that nobody fills the disk
    by knocking; how many were left out stands in the next one.

    Args:
        path: The file; no other process may write into it.
        key: Makes the chain one that only holders of the key can continue; empty for a plain hash.
    """

    def __init__(self, path: Path, key: bytes = b"") -> None:
        self._file = ChainedFile(path, key)
        # Without a key of the log's own, pseudonyms hold for as long as the process does.
        self._key = key or secrets.token_bytes(32)
        self._writer = ThreadPoolExecutor(1, "audit-write")
        self._knocks = RateLimiter(_REFUSED_BURST)
        self._left_out = 0

    def pseudonym(self, user_id: str) -> str:
        """Returns what stands for a user; without the key nobody knows who it is."""
        return f"user:{hmac.digest(self._key, user_id.encode(), 'sha256').hex()[:16]}"

    async def begun(self, record: AuditRecord) -> None:
        """Writes that a call begins.

        Raises:
            UnavailableError: It could not be written.
        """
        try:
            await self.write(record)
        except OSError as error:
            _log.error("audit_not_written", reason=str(error))
            raise UnavailableError("the audit log cannot be written") from error

    async def ended(self, record: AuditRecord) -> None:
        """Writes what came of a call; never raises, as the call is done."""
        try:
            await self.write(record)
        except OSError as error:
            _log.error("audit_not_written", reason=str(error))

    async def write(self, record: AuditRecord) -> None:
        """Writes one record.

        Raises:
            OSError: It could not be written.
        """
        entry: Entry = {
            "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
            "request_id": current_request_id(),
            "caller": record.caller.name,
            "tenant": record.caller.tenant,
            "roles": sorted(record.caller.roles),
            "peer": record.peer,
            "method": record.method,
            "code": record.code,
        }
        if record.targets:
            entry["targets"] = record.targets
        if record.messages:
            entry["messages"] = record.messages
        if self._left_out:
            entry["left_out"], self._left_out = self._left_out, 0
        write = asyncio.get_running_loop().run_in_executor(self._writer, self._file.append, entry)
        # A caller that goes away does not take the entry with it.
        await asyncio.shield(write)

    async def refused(self, record: AuditRecord) -> None:
        """Writes a refused call, unless there were too many; never raises."""
        if self._knocks.take("", _REFUSED_PER_SECOND):
            self._left_out += 1
            AUDIT_SUPPRESSED.inc()
            return
        await self.ended(record)  # it stays refused, whether or not the disk is full

    def close(self) -> None:
        """Waits for what is being written and closes the file."""
        self._writer.shutdown()
        self._file.close()
