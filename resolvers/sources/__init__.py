"""Importers: the documents of other systems, in their own formats; domain.md, section 8.12."""
