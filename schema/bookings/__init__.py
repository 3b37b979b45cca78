"""Bookings in the GraphQL schema."""
