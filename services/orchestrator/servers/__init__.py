"""The public services, each a translation between its contract and the domain."""
