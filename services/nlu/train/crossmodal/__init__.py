"""Training of the dual encoder of pictures and texts."""
