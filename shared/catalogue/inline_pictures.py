"""Pictures that a catalogue holds itself, as `data:` addresses (RFC 2397)."""

import base64
import binascii
from hashlib import sha256

from shared.pictures.folder import MOST_BYTES
from wherefore.common.v1 import product_pb2

_SCHEME = "data:"
_BASE64 = ";base64"


class InlinePictureError(ValueError):
    """An address holds no picture; names the field."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def take_out_pictures(product: product_pb2.Product) -> dict[str, bytes]:
    """Takes pictures out of a product's addresses, and returns them by what stands there instead.

    That is the name of their content (RFC 6920), so a product changes where its picture does.

    Args:
        product: Changed in place.

    Raises:
        InlinePictureError: An address is no picture in base64, or has more than 10 MiB.
    """
    found: dict[str, bytes] = {}
    for index, image in enumerate(product.images):
        if image.uri[: len(_SCHEME)].lower() != _SCHEME:
            continue
        field = f"images[{index}].uri"
        head, comma, body = image.uri[len(_SCHEME) :].partition(",")
        kind = head.lower()
        if not comma or not kind.startswith("image/") or not kind.endswith(_BASE64):
            raise InlinePictureError(field, "must be data:image/TYPE;base64,CONTENT")
        try:
            data = base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError):
            raise InlinePictureError(field, "is not base64") from None
        if len(data) > MOST_BYTES:
            raise InlinePictureError(field, f"must have at most {MOST_BYTES >> 20} MiB")
        digest = base64.urlsafe_b64encode(sha256(data).digest()).decode().rstrip("=")
        image.uri = f"ni:///sha-256;{digest}"
        found[image.uri] = data
    return found
