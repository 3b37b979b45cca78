"""Candidates in the GraphQL schema."""
