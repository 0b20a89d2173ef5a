"""Candidates computed offline over parquet shards, by as many machines as there are shards."""
