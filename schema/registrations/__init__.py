"""Registrations in the GraphQL schema."""
