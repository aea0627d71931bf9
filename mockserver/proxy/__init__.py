"""A reverse proxy that forwards bytes unchanged, records exchanges, and checks them against the contract."""
