"""Who is in which arm: by a hash of the user and the layer's salt, so that it stays the same."""

import hashlib

from services.orchestrator.experiments.experiment_file import BUCKETS, Arm, Experiment, Layer


def bucket_of(salt: str, layer: str, unit: str) -> int:
    """Returns a number from 0 to BUCKETS - 1, as good as drawn for every layer and salt."""
    text = "\x00".join((salt, layer, unit)).encode()
    digest = hashlib.blake2b(text, digest_size=8).digest()
    return int.from_bytes(digest, "big") % BUCKETS


def arm_of(layer: Layer, unit: str) -> tuple[Experiment, Arm] | None:
    """Returns the experiment of a layer that a unit is in, and its arm; None for none.

    An arm that grows at the end of its experiment takes buckets from those behind it: give
    experiments room by shares that stay, or a new salt.

    Args:
        layer: The layer.
        unit: The user, or the visit where nobody is signed in.
    """
    place = bucket_of(layer.salt, layer.name, unit)
    for experiment in layer.experiments:
        for arm in experiment.arms:
            if place < arm.buckets:
                return experiment, arm
            place -= arm.buckets
    return None
