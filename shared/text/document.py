"""The texts of a product, as search and embedding read them."""

from typing import Final

from wherefore.common.v1.product_pb2 import Product

# MiniLM's window is 256 word pieces, and what stands first counts most; more only costs time.
_EMBEDDED_DESCRIPTION: Final = 150
# MiniLM reads English; to it Chinese is a row of unknown characters, which blurs the vector and
# takes more time than the rest of the text.
ENCODER_LANGUAGE: Final = "en"


def embedding_text(product: Product, language: str = ENCODER_LANGUAGE) -> str:
    """Returns the text that a product's semantic vector is made of.

    Title, brand and kind of product where the title lacks them, then the start of the description,
    in `language`. A product without a title in it gives what it has, in order of language codes.
    """
    codes = [language] if language in product.titles else sorted(product.titles)
    title = " / ".join(product.titles[code] for code in codes)
    known = title.casefold()
    extras = (product.brand, *product_types(product))
    parts = [title, *(extra for extra in extras if extra and extra.casefold() not in known)]
    parts.extend(
        _shorten(product.descriptions[code], _EMBEDDED_DESCRIPTION)
        for code in codes
        if code in product.descriptions
    )
    return ". ".join(part for part in parts if part)


def title_of(product: Product, language: str) -> str:
    """Returns the title in `language`, else the English one, else the first by language."""
    for code in (language, "en"):
        if code in product.titles:
            return product.titles[code]
    return product.titles[min(product.titles)] if product.titles else ""


def titles(product: Product) -> list[str]:
    """Returns the titles in order of their language codes."""
    return [product.titles[code] for code in sorted(product.titles)]


def product_types(product: Product) -> list[str]:
    """Returns what kind of thing a product is: its product_type attribute and its last category."""
    types: list[str] = []
    if "product_type" in product.attributes:
        types.extend(product.attributes["product_type"].texts)
    if product.category_path:
        types.append(product.category_path[-1])
    return list(dict.fromkeys(types))


def _shorten(text: str, length: int) -> str:
    """Cuts a text at the last blank before `length` characters, if there is one."""
    if len(text) <= length:
        return text.strip()
    return text[:length].rsplit(" ", 1)[0].strip()
