"""Centres in the GraphQL schema."""
