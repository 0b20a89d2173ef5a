"""What can go wrong with a suite, in words for whoever started it."""


class SuiteError(Exception):
    """The suite could not be started or stopped; the message says why and what to do."""
