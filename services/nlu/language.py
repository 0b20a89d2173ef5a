"""Language of the query: the caller's word for it, else what its letters say."""

from shared.text.language import detect_language, primary_language


def query_language(query: str, code: str = "") -> tuple[str, float]:
    """Returns the BCP-47 language of a query and the confidence in it, 0 to 1.

    Args:
        query: The query.
        code: What the caller says; taken at its word, without region ("zh-CN" is "zh").
    """
    if code:
        return primary_language(code), 1.0
    language, confidence = detect_language(query)
    return language, min(max(confidence, 0.0), 1.0)
