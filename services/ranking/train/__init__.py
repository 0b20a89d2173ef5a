"""Learning to rank: trees over the served features, from judged queries."""
