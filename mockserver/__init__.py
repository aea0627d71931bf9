"""A stand-in for the Attendee API's calendar endpoints, and the judge of any deployment of them."""

__version__ = "0.1.0"
