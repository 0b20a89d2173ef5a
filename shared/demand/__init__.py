"""Demand: units sold a day by product, and what is expected to be sold."""
