"""Opinion monitoring: what texts say of topics, products and brands, and when negatives surge."""
