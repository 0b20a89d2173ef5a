"""What a search seeks in pictures, once it is made into a vector."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from wherefore.nlu.v1.picture_service_pb2 import ComposeQueryResponse
from wherefore.retrieval.v1.candidate_pb2 import Candidate
from wherefore.retrieval.v1.retrieval_service_pb2 import RetrieveRequest

LEG: Final = "picture"
"""Of retrieval."""


@dataclass(frozen=True, slots=True)
class SoughtPictures:
    """The vectors of a query for pictures.

    Attributes:
        vectors: Of all together, of the picture and of the text.
        leg_weight: How much the leg of pictures counts in the fusion.
        own_id: The product whose pictures are searched by, which is no result; "" for none.
        kind: Filter of what the product with a change is sought among, as long as there is some:
            what a change puts in may hide what the thing is. "" for all products.
    """

    vectors: ComposeQueryResponse
    leg_weight: float = 1.0
    own_id: str = ""
    kind: str = ""

    def write(self, request: RetrieveRequest) -> None:
        """Has a request for candidates look for them in pictures too."""
        request.legs.append(LEG)
        request.picture_vector.CopyFrom(self.vectors.vector)
        request.leg_weights[LEG] = self.leg_weight
        if self.own_id and self.own_id not in request.excluded_ids:
            request.excluded_ids.append(self.own_id)


def count_on(candidates: Iterable[Candidate], known: int) -> None:
    """Has places in the leg of pictures count on behind the `known` products of earlier requests.

    These were left out of the leg, so a product stands there at this place at the furthest.
    """
    for candidate in candidates:
        for leg in candidate.legs:
            if leg.leg == LEG:
                leg.rank += known
