"""Both sides, as Flower finds them."""

from shared.federated.flower.client import app as client
from shared.federated.flower.server import app as server

__all__ = ["client", "server"]
