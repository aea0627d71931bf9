"""Compares OpenAPI documents and recorded traffic with the contract."""
