"""Offline evaluation of rankings against human judgements.

`judgments` reads the ratings, `metrics` scores one ranking, `report` averages over queries,
`significance` says how far an average can be trusted, and `rankers` obtains rankings from a running
suite.
"""
