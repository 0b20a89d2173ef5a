"""How much an event says about interest in a product."""

from typing import Final

from wherefore.common.v1 import user_event_pb2 as pb

WEIGHTS: Final = {
    pb.USER_EVENT_TYPE_VIEW: 1.0,
    pb.USER_EVENT_TYPE_CLICK: 1.0,
    pb.USER_EVENT_TYPE_SHARE: 2.0,
    pb.USER_EVENT_TYPE_REVIEW: 2.0,
    pb.USER_EVENT_TYPE_CART: 3.0,
    pb.USER_EVENT_TYPE_PURCHASE: 5.0,
}
"""By type; an impression or a search says nothing of one product."""

ACTIONS: Final = {
    kind: pb.UserEventType.Name(kind).removeprefix("USER_EVENT_TYPE_").lower() for kind in WEIGHTS
}
"""What RecentProduct.action calls them."""

_LIKED_STARS: Final = 3


def weight_of(event: pb.UserEvent) -> float:
    """Returns the weight of an event, at least 0; a bad review is no interest."""
    if event.type == pb.USER_EVENT_TYPE_REVIEW and event.rating < _LIKED_STARS:
        return 0.0
    return WEIGHTS.get(event.type, 0.0)


def decay(age_seconds: float, half_life_seconds: float) -> float:
    """Returns what is left of 1 after `age_seconds`."""
    return 0.5 ** (age_seconds / half_life_seconds)


def growth_since(landmark: float, at: float, half_life_seconds: float) -> float:
    """Returns how much more what happened `at` counts than what happened at the landmark.

    Forward decay (Cormode et al., ICDE 2009): sums that share a landmark keep their order.
    """
    return 2.0 ** ((at - landmark) / half_life_seconds)
