"""Ranking: features of candidates, a linear model over them, and what each feature added."""
