"""Which category a product belongs to, how sure that is, and which words say so."""
