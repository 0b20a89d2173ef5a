"""Quality and speed of the suite, beside peers; run from the repository root."""
