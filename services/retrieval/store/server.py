"""A Qdrant server or cluster: the collection that answers, by its alias, and its like.

    products            the first collection; the next ones are products_v2, products_v3, …
    products_live       alias of the collection that answers, by which all replicas address it
    products_former     alias of the one before, while it is kept
    products_meta       a point for the document beside the products, and one for who re-indexes

Names of tenants hold no underscore, so no collection of a tenant is called so.
"""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from qdrant_client import QdrantClient, models

from services.retrieval.store.layout import Layout
from services.retrieval.store.port import Claim, VectorIndex
from services.retrieval.store.server_claim import ServerClaim
from services.retrieval.store.server_errors import translate_errors
from services.retrieval.store.server_index import ServerIndex
from shared.errors import FailedPreconditionError


class ServerStore(ServerIndex):
    """A `VectorStore` in a Qdrant server, or in qdrant-client's own local mode.

    Args:
        client: To the server.
        collection: What the names of its collections and aliases begin with.
        layout: What a collection is made of.
    """

    name = "qdrant"
    shared = True
    """See `VectorStore.shared`."""

    def __init__(self, client: QdrantClient, collection: str, layout: Layout) -> None:
        super().__init__(client, f"{collection}_live", f"{collection}_meta", layout)
        self._first = collection
        self._former_alias = f"{collection}_former"

    @translate_errors
    def open(self) -> None:
        """See `VectorStore`. A collection that was made before there were aliases gets one."""
        if self._collection not in self._aliases():
            if not self._client.collection_exists(self._first):
                self._index(self._first).create()
            self._point({self._collection: self._first})
        if not self._client.collection_exists(self._meta):
            self._client.create_collection(
                self._meta,
                vectors_config={},
                shard_number=1,
                replication_factor=self._layout.replicas,
                write_consistency_factor=self._layout.write_consistency,
            )
        self.ensure_fields()

    def close(self) -> None:
        """See `VectorStore`."""
        self._client.close()

    @translate_errors
    def drop(self) -> None:
        """Deletes the collections and the document; does nothing where they are gone."""
        self._point(dict.fromkeys(self._aliases(), ""))
        for name in (*self._collections(), self._meta):
            if self._client.collection_exists(name):
                self._client.delete_collection(name)

    def claim(self) -> AbstractContextManager[Claim]:
        """See `VectorStore`."""
        return ServerClaim(self._client, self._meta).taken()

    @translate_errors
    def make_second(self) -> ServerIndex:
        """See `VectorStore`."""
        self.drop_second()
        numbers = [int(name.rpartition("_v")[2]) for name in self._collections()[1:]]
        index = self._index(f"{self._first}_v{max(numbers, default=1) + 1}")
        index.create()
        index.ensure_fields()
        return index

    @translate_errors
    def change_to(self, index: VectorIndex) -> None:
        """See `VectorStore`."""
        if not isinstance(index, ServerIndex):
            raise TypeError("an index of another store")
        aliases = self._aliases()
        before, older = aliases[self._collection], aliases.get(self._former_alias, "")
        self._point({self._collection: index.collection, self._former_alias: before})
        if older and older != index.collection:
            self._client.delete_collection(older)

    @translate_errors
    def former(self) -> ServerIndex | None:
        """See `VectorStore`."""
        name = self._aliases().get(self._former_alias)
        if name is None:
            return None
        index = self._index(name)
        index.ensure_fields()
        return index

    @translate_errors
    def drop_former(self) -> None:
        """See `VectorStore`."""
        if name := self._aliases().get(self._former_alias):
            self._point({self._former_alias: ""})
            self._client.delete_collection(name)

    @translate_errors
    def drop_second(self) -> None:
        """See `VectorStore`: every collection of the name that no alias leads to."""
        kept = set(self._aliases().values())
        for name in self._collections():
            if name not in kept and self._client.collection_exists(name):
                self._client.delete_collection(name)

    def snapshot(self) -> AbstractContextManager[Path]:
        """See `VectorStore`: a server makes its own."""
        raise FailedPreconditionError(
            "the products are on a Qdrant server: back it up by its own snapshots"
        )

    def _index(self, collection: str) -> ServerIndex:
        return ServerIndex(self._client, collection, self._meta, self._layout)

    def _aliases(self) -> dict[str, str]:
        """Collections by the aliases of this store that there are."""
        ours = (self._collection, self._former_alias)
        found = self._client.get_aliases().aliases
        return {each.alias_name: each.collection_name for each in found if each.alias_name in ours}

    def _collections(self) -> list[str]:
        """Collections of this store that there are, the first one first even if it is gone."""
        later = re.compile(rf"{re.escape(self._first)}_v\d+")
        found = {each.name for each in self._client.get_collections().collections}
        return [self._first, *sorted(name for name in found if later.fullmatch(name))]

    def _point(self, aliases: Mapping[str, str]) -> None:
        """Makes aliases lead to collections, or to none where it is "", all in one step."""
        steps: list[models.AliasOperations] = []
        there = self._aliases()
        for alias, collection in aliases.items():
            if alias in there:
                delete = models.DeleteAlias(alias_name=alias)
                steps.append(models.DeleteAliasOperation(delete_alias=delete))
            if collection:
                create = models.CreateAlias(collection_name=collection, alias_name=alias)
                steps.append(models.CreateAliasOperation(create_alias=create))
        if steps:
            self._client.update_collection_aliases(steps)
