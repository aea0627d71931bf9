"""The commands of `attendee-mock`. Modules that are slow to load are imported when a command needs them."""
