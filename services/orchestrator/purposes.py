"""What events may be used for: a user may refuse each purpose, an event may too."""

from collections.abc import Iterable
from typing import Final

from wherefore.common.v1 import user_event_pb2 as pb

PERSONALISATION: Final = pb.DATA_PURPOSE_PERSONALISATION
ANALYTICS: Final = pb.DATA_PURPOSE_ANALYTICS
TRAINING: Final = pb.DATA_PURPOSE_TRAINING
PURPOSES: Final = (PERSONALISATION, ANALYTICS, TRAINING)


def mask_of(purposes: Iterable["pb.DataPurpose.ValueType"]) -> int:
    """Returns purposes as the bits of a number, for a column."""
    mask = 0
    for purpose in purposes:
        mask |= 1 << purpose
    return mask


ALL: Final = mask_of(PURPOSES)


def purposes_of(mask: int) -> list["pb.DataPurpose.ValueType"]:
    """Returns the purposes of a mask, in the order of the contract."""
    return [purpose for purpose in PURPOSES if mask & 1 << purpose]


def refuses(mask: int, purpose: "pb.DataPurpose.ValueType") -> bool:
    """Whether a mask refuses a purpose; an unspecified one is refused by any refusal."""
    wanted = ALL if purpose == pb.DATA_PURPOSE_UNSPECIFIED else 1 << purpose
    return bool(mask & wanted)
