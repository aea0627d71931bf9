"""What leaves the mock, and when: due tasks, deliveries, retries."""
