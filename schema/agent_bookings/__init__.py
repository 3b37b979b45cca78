"""Agent bookings in the GraphQL schema."""
