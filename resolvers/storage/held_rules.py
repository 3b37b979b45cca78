"""The constraints and indexes that a database has, compared with those that the code declares.

A CHECK or a unique index of an earlier text of a step refuses rows that the code writes, one by
one. Only the database itself knows how it words a constraint. So the declared tables are made where
they harm nothing, in memory or as temporary tables that are undone, and both are read alike.
"""

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from resolvers.storage.migrations.table_text import TableText
from resolvers.storage.tables import metadata

ON_SQLITE = "SELECT type, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"

# a unique index is a rule, too, unless it is a constraint's; any other index only costs time
ON_POSTGRESQL = """
    SELECT t.relname || ': ' || pg_get_constraintdef(c.oid)
    FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
    WHERE c.contype IN ('c', 'f', 'p', 'u') AND {which}
    UNION ALL
    SELECT t.relname || ': ' || regexp_replace(pg_get_indexdef(i.indexrelid), ' ON \\S+ ', ' ON ')
    FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
    WHERE i.indisunique AND {which}
        AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""
MAY_COMPARE = "SELECT has_database_privilege(current_database(), 'TEMP')"
HELD = "pg_table_is_visible(t.oid) AND t.relnamespace <> 'pg_catalog'::regnamespace"
TEMPORARY = "t.relnamespace = pg_my_temp_schema()"


def first_difference(connection: sa.Connection) -> str | None:
    """The first rule of a connection's tables that is missing, or that the code does not declare.

    Tables of others are left alone. Names of CHECKs do not count. None too for a user of PostgreSQL
    who may not make temporary tables.
    """
    if connection.dialect.name != "sqlite" and not connection.scalar(sa.text(MAY_COMPARE)):
        return None
    expected = _declared(connection)
    held = {rule for rule in _held(connection) if rule.partition(":")[0] in metadata.tables}
    if missing := sorted(expected - held):
        return f"the rule {missing[0]!r} is missing"
    if unknown := sorted(held - expected):
        return f"the rule {unknown[0]!r} is unknown"
    return None


def _held(connection: sa.Connection) -> set[str]:
    if connection.dialect.name == "sqlite":
        return _rules_of_file(connection)
    return set(connection.exec_driver_sql(ON_POSTGRESQL.format(which=HELD)).scalars())


def _declared(connection: sa.Connection) -> set[str]:
    if connection.dialect.name == "sqlite":
        return _declared_in_memory()
    part = connection.begin_nested()
    try:
        connection.exec_driver_sql("SET LOCAL search_path TO pg_temp")
        metadata.create_all(connection, checkfirst=False)
        return set(connection.exec_driver_sql(ON_POSTGRESQL.format(which=TEMPORARY)).scalars())
    finally:
        part.rollback()


def _declared_in_memory() -> set[str]:
    engine = sa.create_engine("sqlite://", poolclass=StaticPool)
    try:
        with engine.begin() as connection:
            metadata.create_all(connection, checkfirst=False)
            return _rules_of_file(connection)
    finally:
        engine.dispose()


def _rules_of_file(connection: sa.Connection) -> set[str]:
    rules = set()
    for kind, table, sql in connection.exec_driver_sql(ON_SQLITE):
        if kind == "table":
            texts = list(TableText.read(sql).constraints.values())
        else:
            texts = [sql] if sql.startswith("CREATE UNIQUE") else []
        for text in texts:
            _, check, rule = text.partition("CHECK ")
            rules.add(f"{table}: {' '.join((check + rule or text).replace(chr(34), '').split())}")
    return rules
