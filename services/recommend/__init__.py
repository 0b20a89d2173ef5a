"""Recommendation: a service that learns from events, and models of sequences with their measure.

What is served lies in `serving/` and `graph/`. The models beside them are library code for
`shared.cli` and the benchmarks, which needs the extra `recommend`; the service does without.
"""
