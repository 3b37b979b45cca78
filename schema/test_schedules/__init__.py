"""Test schedules in the GraphQL schema."""
