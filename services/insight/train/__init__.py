"""Training of the model of opinions."""
