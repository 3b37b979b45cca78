"""Events in the GraphQL schema."""
