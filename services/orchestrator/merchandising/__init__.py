"""Rules of the shop: boosts, pins, blocks, synonyms, filters and redirects, from a file."""
