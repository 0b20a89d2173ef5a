"""These tests need Flower: `tests/shared/federated/test_environment.py` runs them where it is."""

from importlib.util import find_spec

collect_ignore_glob = ["test_*.py"] if find_spec("flwr") is None else []
