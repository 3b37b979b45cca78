"""Notifications: endpoints, topics, messages and their deliveries `[004]`."""
