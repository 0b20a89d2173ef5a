"""What is served: candidates with evidence, from events and from the knowledge graph."""
