"""User events in Redis: one log for several orchestrators, sealed as in files."""
