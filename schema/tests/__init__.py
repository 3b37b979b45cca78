"""Tests in the GraphQL schema."""
