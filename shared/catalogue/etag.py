"""The etag of a product: a hash of what the shop said about it."""

import hashlib

from wherefore.common.v1 import product_pb2

_OUTPUT_ONLY = ("etag", "update_time")


def content_etag(product: product_pb2.Product) -> str:
    """Return 16 hexadecimal digits that change when the content of `product` changes.

    Output-only fields are left out, and map entries are sorted, so that the order in which a
    product was built does not matter.
    """
    content = product_pb2.Product()
    content.CopyFrom(product)
    for field in _OUTPUT_ONLY:
        content.ClearField(field)
    serialized = content.SerializeToString(deterministic=True)
    return hashlib.blake2b(serialized, digest_size=8).hexdigest()
