"""Measures the assistant: templates, what goes to a person, and the evidence of its answers."""
