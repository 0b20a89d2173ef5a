"""Customer service: answers by template, from what was learnt, from evidence, or by a person."""
