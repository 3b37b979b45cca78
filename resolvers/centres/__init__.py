"""Centres and their rooms."""
