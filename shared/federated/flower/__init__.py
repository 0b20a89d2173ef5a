"""What runs in Flower's environment (`shared.federated.environment`); all else does without it."""
