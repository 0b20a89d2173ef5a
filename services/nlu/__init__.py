"""NLU: what a query means, as a pure function of the query and the catalogue's own terms."""
