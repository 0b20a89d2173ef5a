"""Sponsored results: an auction over relevance and bid, paced budgets, charges that last."""
