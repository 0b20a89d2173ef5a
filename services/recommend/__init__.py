"""Recommendation from sequences: models that rank items by what a user had, and their measure.

Library code without a server, for `shared.cli` and the benchmarks. Needs the extra `recommend`.
"""
