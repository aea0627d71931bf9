"""What the service is: its state and its rules. No HTTP, no event loop, no wall clock, no dice."""
