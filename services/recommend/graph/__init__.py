"""The knowledge graph of a catalogue, and what to offer with a product, ranked from it."""
