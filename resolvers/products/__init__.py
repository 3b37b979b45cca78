"""Agent offices, what schools sell, and when `[004]`."""
