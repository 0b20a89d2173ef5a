"""User events on disk: sealed under a key for each user, so that erasing the key erases them."""
