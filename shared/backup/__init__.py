"""Backups of a suite with embedded stores: one archive of what is durable, made while it runs.

Everything that was acknowledged before a backup began is in it. SQLite files are copied in one read
transaction, appended files up to their last whole line, files that are only ever replaced as they
are, and products as a snapshot that retrieval sends.
"""
