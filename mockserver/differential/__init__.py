"""Compares two deployments of the API: sends the same requests to both, and reports where the responses differ."""
