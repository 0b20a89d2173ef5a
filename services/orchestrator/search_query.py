"""What goes along with one search."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from services.orchestrator.fallback import Degradations
from services.orchestrator.terms.contract import Contract
from services.orchestrator.tokens import fingerprint
from shared.timing import StageTimer
from wherefore.common.v1.user_profile_pb2 import UserContext, UserProfile
from wherefore.orchestrator.v1.picture_query_pb2 import PictureQuery
from wherefore.retrieval.v1.facet_pb2 import FACET_SCOPE_UNSPECIFIED, FacetScope, FacetSpec


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A search that was checked. See SearchRequest for the meaning of the fields."""

    query: str
    filter: str
    page_size: int
    page_token: str
    order_by: str
    user: UserContext
    language_code: str
    serving_config: str
    read_paths: Sequence[str]
    include_contributions: bool
    skip_reasons: bool
    keep_spelling: bool
    facets: Sequence[FacetSpec] = ()
    facet_scope: "FacetScope.ValueType" = FACET_SCOPE_UNSPECIFIED
    group_variants: int = 0
    pictures: PictureQuery | None = None

    @property
    def words(self) -> str:
        """What is searched for by words where pictures cannot be."""
        return self.query or (self.pictures.text if self.pictures is not None else "")

    @property
    def fingerprint(self) -> str:
        """Hash of all that decides on the ranking: what a page token is bound to."""
        return fingerprint(
            [
                self.query,
                self.filter,
                self.order_by,
                self.user.user_id,
                self.user.session_id,
                self.user.account_id,
                self.language_code,
                self.serving_config,
                self.keep_spelling,
                self.include_contributions,
                self.group_variants,
                *(() if self.pictures is None else [_digest(self.pictures)]),
            ]
        )


def _digest(query: PictureQuery) -> str:
    return sha256(query.SerializeToString(deterministic=True)).hexdigest()


@dataclass(slots=True)
class Work:
    """What goes along with one request."""

    query: SearchQuery
    timer: StageTimer
    degradations: Degradations
    profile: UserProfile | None = None
    contract: Contract | None = None
    """The terms of the account that asks; None without one."""
