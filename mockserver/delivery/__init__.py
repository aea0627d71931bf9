"""Runs what falls due: syncs, and webhook deliveries with their retries."""
