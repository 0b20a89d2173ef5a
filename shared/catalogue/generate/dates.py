"""The day on which the generated shop stands still."""

from datetime import UTC, datetime

REFERENCE_DATE = datetime(2026, 11, 1, tzinfo=UTC)
"""Every time in the catalogue is relative to it, never to the day of the run."""
