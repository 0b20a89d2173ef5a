"""Reasons: why a product is there, in a sentence that its evidence supports."""
