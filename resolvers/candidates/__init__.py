"""Candidates, and the departments at which they are registered."""
