"""Sources: the value of a field for a row, declared once and executed in two ways.

A source is one class with two methods. `show` returns the value for one row, for graphql-core.
`compile` writes the same value as an expression, for a plan, which evaluates it for all rows of a
place together. `schema.grammar.fields` has the functions that declare fields by sources.
"""
