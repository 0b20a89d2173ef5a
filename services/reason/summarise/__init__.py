"""Summaries of what is written about a product: quoted sentences, and points with counts."""
