"""How long a test waits before it is taken to hang. No verdict depends on it: what passes takes a small part of it."""

from __future__ import annotations

HANGS = 900.0
"""Seconds."""
