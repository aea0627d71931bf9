"""The contract over HTTP: requests in, answers out, in the service's own dialect."""
