"""The learnt half of query understanding: transformers behind one port, and how they are read."""
