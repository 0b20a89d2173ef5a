"""Pictures that strangers send: decoded within limits, or refused with what to do."""
