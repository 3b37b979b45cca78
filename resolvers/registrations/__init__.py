"""Registrations: Shift iQ's bookings of events, strict and lax `[002]`."""
