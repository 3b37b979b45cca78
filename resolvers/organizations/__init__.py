"""Organizations, and who works for them."""
