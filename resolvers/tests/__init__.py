"""Subjects, modules, tests and their forms."""
