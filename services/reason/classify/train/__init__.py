"""Trains a classifier on a shop's own categorised products; needs the extra `train`."""
