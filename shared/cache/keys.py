"""Keys of what is kept: all that an answer depends on, and whose it is, goes in.

A key is a digest, so that nothing that a person wrote can be read from it. Each part goes in with
its length, so that no two lists of parts make one text.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom an answer is for. Made by `everybody` or `one`, so that nobody is forgotten."""

    tenant: str
    actor: str
    state: str

    @classmethod
    def everybody(cls, tenant: str) -> Self:
        """Returns the scope of what all users of a tenant are told alike."""
        return cls(tenant, "", "")

    @classmethod
    def one(cls, tenant: str, actor: str, state: str) -> Self:
        """Returns the scope of what is told to one user or visitor.

        Args:
            tenant: Whose data it is.
            actor: Who; never empty.
            state: What is known of them: another one after each of their events.

        Raises:
            ValueError: There is no actor.
        """
        if not actor:
            raise ValueError("a personal answer without a person")
        return cls(tenant, actor, state)

    @property
    def personal(self) -> bool:
        """Whether it is one user's."""
        return bool(self.actor)


def cache_key(kind: str, scope: Scope, versions: Mapping[str, str], request: bytes) -> bytes:
    """Returns the key of an answer, 32 bytes.

    Args:
        kind: What is kept, such as "page".
        scope: Whom it is for.
        versions: Of all that it was made with, by name: catalogue, rules, models.
        request: What was asked, serialized deterministically.
    """
    digest = hashlib.blake2b(digest_size=32)
    named = [part for item in sorted(versions.items()) for part in item]
    texts = (kind, scope.tenant, scope.actor, scope.state, str(len(versions)), *named)
    # Lone surrogates are texts too, and must not make two users one.
    for part in (*(text.encode("utf-8", "surrogatepass") for text in texts), request):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
