"""What goes wrong in federated training, for whoever started it to read."""


class FederatedError(ValueError):
    """A run cannot begin or go on; the message says why, and what to do."""
