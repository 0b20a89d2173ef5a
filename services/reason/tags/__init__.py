"""Tags of products: attributes and selling points in the terms of a vocabulary, with evidence."""
