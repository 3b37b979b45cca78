"""Agent offices, products, and what schools offer when `[004]`."""
