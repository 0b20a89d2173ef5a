"""Learning from clicks: how people click, what position does to it, and learning in spite of it."""
