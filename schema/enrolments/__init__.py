"""Enrolments in the GraphQL schema."""
