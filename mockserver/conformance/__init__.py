"""Judges any deployment of the calendar endpoints against the contract and against how the service was seen to behave."""
