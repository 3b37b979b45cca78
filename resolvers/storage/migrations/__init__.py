"""The steps that bring a database from one version of the tables to the next.

To change the tables:

1. Change what `resolvers/storage/tables` declares.
2. Write `versions/vNNNN_topic.py` with the next number; `down_revision` is the number before it.
   Use `words` for columns and constraints and `altering` to change tables that exist.
3. If the step makes a table, put rows into `tests/gateway/rows_at/NNNN.sql`. If it changes
   values of rows on purpose, list their columns in `tests/gateway/test_upgrading.py`.
4. Add the line that the test asks for to `tests/gateway/landed_migrations.sha256`.

A step that has landed never changes.
"""
