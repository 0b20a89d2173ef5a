"""The scripts that Redis runs: each is one step that is done whole or not at all."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent / "lua"


@dataclass(frozen=True, slots=True)
class Script:
    """A script as Redis takes it, and the digest by which it knows it (SHA-1, as EVALSHA asks)."""

    text: str
    digest: str


@lru_cache(maxsize=64)
def script(name: str) -> Script:
    """Returns the script of a name: what stands before all, and its own file."""
    parts = ((_FOLDER / f"{each}.lua").read_text("utf-8") for each in ("prelude", name))
    text = "\n".join(parts)
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
