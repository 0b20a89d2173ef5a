"""Load on a suite: `python -m benchmarks.load --help`."""
