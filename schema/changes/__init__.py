"""Changes in the GraphQL schema."""
