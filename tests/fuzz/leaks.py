"""What no caller may read: traces of the program in texts that are meant for people."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LEAKS = {
    "a traceback": r"Traceback|most recent call|File \"|, line \d+, in ",
    "a path": r"(?:^|[\s'\"(=:])/(?:home|work|usr|tmp|var|etc|opt|root|srv|app)/"
    r"|site-packages|\.pyc?\b",
    "a module": r"\b(?:shared|services|wherefore|google|numpy|grpc|asyncio|pydantic)\.[a-z_]+\b",
    "a class": r"\b[A-Z][a-z]+[A-Za-z]*(?:Error|Exception|Servicer|Settings)\b"
    r"|<class |\bNoneType\b",
    "an object": r"<[\w.]+(?: object)? at 0x|\b0x[0-9a-f]{8,}\b|\w+\(\w+="
    r"|RepeatedScalar|dict_keys",
    "a container's repr": r"(?<![\w\"'])\[(?:'|\"|\d+, )|\{'|frozenset\(|\('"
    r"|(?:^|[\s(=:,])b'|Decimal\(|datetime\.",
    "an address": r"\b127\.0\.0\.1\b|\bipv[46]:|localhost:\d+|\[::1?\]:\d+",
    "a library": r"(?i)\bsqlite|\bqdrant|\bonnx|\btriton|\berrno\b|\buvloop|\bprotobuf\b"
    r"|\bpydantic",
    "an operator's message": r"object is not|has no attribute|positional argument|unhashable"
    r"|invalid literal|out of range for|codec can't|not subscriptable|unsupported operand",
}
_KEY = re.compile(r'\[".*?"\]', re.DOTALL)
"""The key of a map in the path of a field, which is the caller's."""
_ESCAPE = re.compile(r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")
"""How what we quote tells a character that cannot be printed."""
_BEFORE = 8
"""Characters before what was found that the caller must have said as well, or what we quote."""
_PATTERNS = {name: re.compile(pattern) for name, pattern in _LEAKS.items()}


def leaks(texts: Iterable[str], sent: str = "") -> list[str]:
    """Returns what leaks out of `texts`, each with where it was found.

    Args:
        texts: Everything that the caller is told.
        sent: What the caller said: an echo of it is no leak.
    """
    found: list[str] = []
    for text in (_KEY.sub("", each) for each in texts):
        for name, pattern in _PATTERNS.items():
            match = next((m for m in pattern.finditer(text) if not _echoed(m, sent)), None)
            if match is not None:
                found.append(f"{name} ({match[0]!r}) in {text[:300]!r}")
    return found


def _echoed(match: re.Match[str], sent: str) -> bool:
    """Whether the caller said it, our quotation marks aside."""
    if match[0] in sent:
        return True
    before = _ESCAPE.split(match.string[: match.start()])[-1][-_BEFORE:]
    ours = max(before.rfind("'"), before.rfind('"')) + 1  # what we quote begins behind it
    with_before = before[ours:] + match[0][:-1]
    return match[0][-1] in "'\"" and with_before in sent
