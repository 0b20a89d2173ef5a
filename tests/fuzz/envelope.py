"""What goes round a request: metadata that a service reads, or would trip over, and deadlines."""

from __future__ import annotations

from random import Random

from tests.fuzz import texts

TIMEOUT = 20.0
"""Seconds that a call gets: no request may keep a service busy for so long."""
_SHORT = (0.0005, 0.002, 0.01, 0.05, 0.2)
_SHORT_SHARE = 0.02
_METADATA_SHARE = 0.08

Metadata = tuple[tuple[str, str | bytes], ...]

_VALUES = {
    "x-request-id": ("", " ", "a b", "x" * 129, "x" * 5000, '"}\\n{"', "../../x", "fuzz-1"),
    "traceparent": (
        "",
        "00",
        "00-" + "0" * 32 + "-" + "0" * 16 + "-01",
        "00-" + "f" * 32 + "-" + "f" * 16 + "-zz",
        "ff-" + "1" * 32 + "-" + "1" * 16 + "-00-more",
        "00-" + "1" * 32 + "-" + "1" * 16 + "-01",
    ),
    "tracestate": ("", "a=b", "=" * 600),
    "x-priority": ("", "batch", "BATCH", "interactive", "-1"),
    "authorization": ("", "Bearer", "Bearer ", "Basic Og==", "bearer x.y.z", *texts.TOKENS),
    "x-api-key": ("", "wk_000000000000_guess", *texts.TOKENS),
    "x-wherefore-tenant": ("", "acme", "../acme", "*", "a" * 300),
    "x-wherefore-caller": ("", "operator", "a\\tb", "a" * 3000),
    "x-anything": ("", "a" * 6000, "%0d%0a", "~" * 100),
    "user-agent": ("", "curl"),
}
_KEYS = tuple(_VALUES)


def timeout(random: Random) -> float:
    """Returns the seconds that a call gets; a few get far too little."""
    return random.choice(_SHORT) if random.random() < _SHORT_SHARE else TIMEOUT


def metadata(random: Random) -> Metadata:
    """Returns what a call carries beside its request; mostly nothing."""
    if random.random() >= _METADATA_SHARE:
        return ()
    if random.random() < 0.1:
        return tuple((f"x-many-{number}", "a") for number in range(150))
    return tuple(_entry(random) for _ in range(random.randint(1, 4)))


def _entry(random: Random) -> tuple[str, str | bytes]:
    key = random.choice(_KEYS)
    if random.random() < 0.15:
        # The name of a text with the ending of bytes, and bytes that are no text.
        return f"{key}-bin", random.randbytes(random.choice((0, 1, 40, 2000)))
    value = random.choice(_VALUES[key])
    # What HTTP does not allow in a header the client would refuse to send.
    return key, "".join(each for each in value if " " <= each <= "~")
