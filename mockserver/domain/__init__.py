"""The state and the rules of the service, without HTTP, event loop, wall clock or random numbers of its own."""
