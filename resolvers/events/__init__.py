"""Events: sittings that candidates book into. Knows no kind of booking."""
