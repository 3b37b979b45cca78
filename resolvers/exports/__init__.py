"""Files of events: which fields, which rows, and how each format is written."""
