"""Names of the pictures that the bundled catalogue's top categories are shown with."""

CATEGORY_SLUGS = (
    "phones",
    "audio",
    "computers",
    "kitchen",
    "home-textiles",
    "lighting",
    "womens-fashion",
    "mens-fashion",
    "kids",
    "shoes",
    "bags",
    "beauty",
    "sports",
    "toys",
    "food",
    "stationery",
    "pets",
)


def image_uri(slug: str) -> str:
    """Return where the demo page serves the picture of a category.

    Args:
        slug: One of CATEGORY_SLUGS.
    """
    return f"/static/categories/{slug}.svg"
