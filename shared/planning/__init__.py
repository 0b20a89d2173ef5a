"""Capacity: what a suite needs for so many products and searches a second, from measured costs."""
