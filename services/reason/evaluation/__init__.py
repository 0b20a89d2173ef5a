"""Measures of the reason service; nothing here serves."""
