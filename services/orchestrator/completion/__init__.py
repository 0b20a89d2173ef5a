"""Completes what a shopper types, from the catalogue and from what others searched for."""
