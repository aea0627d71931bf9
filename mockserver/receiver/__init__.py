"""Listens to webhooks for a developer, and audits an integrator's receiver of webhooks."""
