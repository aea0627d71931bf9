"""The service's API over HTTP: routing, authentication, validation, responses and errors."""
