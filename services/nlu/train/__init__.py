"""Training of the models that read queries. Needs the extra `train`; no service imports it."""
