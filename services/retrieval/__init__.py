"""Retrieval: keeps the catalogue in Qdrant and finds candidates in it."""
