"""Enrolments `[000]`: a candidate's claim on one seat at one event."""
