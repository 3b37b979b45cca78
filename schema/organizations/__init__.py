"""Organizations in the GraphQL schema."""
