"""A small integration of the Attendee API: it keeps a copy of its users' meetings. See README.md."""
