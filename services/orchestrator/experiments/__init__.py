"""Experiments: who is in which arm, what came of it, and when an arm is taken back."""
