"""Products in the GraphQL schema."""
