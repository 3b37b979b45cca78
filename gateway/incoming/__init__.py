"""Connections of clients: their limits, and how they end."""
