"""Pictures and texts as vectors that compare: a dual encoder, and what is asked of it."""
