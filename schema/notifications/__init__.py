"""Notifications in the GraphQL schema."""
