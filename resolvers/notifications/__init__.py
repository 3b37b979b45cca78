"""Notifications: who wants to know of what, what they are told, and where it may go `[004]`."""
