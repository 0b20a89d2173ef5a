"""Folding: one spelling for what people and shops write in many ways."""

import unicodedata


def fold(text: str) -> str:
    """Returns the text after Unicode NFKC, case folding and white-space folding.

    Full-width forms, ligatures and compatibility signs become their plain forms (UAX 15), and every
    run of white space becomes one blank. Case folding can undo NFKC (UAX 15, section 5), hence the
    second pass; with it `fold` is idempotent.

    Args:
        text: Any text.

    Returns:
        The folded text, without white space at its ends.
    """
    if text.isascii():  # the common case, at a tenth of the cost
        return " ".join(text.casefold().split())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    # A lone accent composed anew can need a second folding.
    return " ".join(unicodedata.normalize("NFKC", folded.casefold()).split())
