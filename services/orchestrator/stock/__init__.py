"""Stock pressure: products of which there is too much are raised, nearly sold-out ones lowered."""
