"""Gives the UUIDs of Shift iQ in external ids their one form: lower case, with hyphens."""

import re
from uuid import UUID

import sqlalchemy as sa

BATCH = 1000
SYSTEMS = ("SHIFT_IQ_V1", "SHIFT_IQ_V2")
DIGITS = re.compile(r"\{?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\}?", re.I)

EXTERNAL_ID = sa.table(
    "external_id",
    sa.column("organization_id", sa.Uuid()),
    *(sa.column(name, sa.String()) for name in ("system", "kind", "value")),
)


def canonical_external_ids(connection: sa.Connection) -> list[str]:
    """Rewrite the values in another form. Returns those whose form is another object's already."""
    c = EXTERNAL_ID.c
    key = (c.organization_id, c.system, c.kind, c.value)
    kept: list[str] = []
    after: tuple[object, ...] | None = None
    while True:
        statement = sa.select(*key).where(c.system.in_(SYSTEMS)).order_by(*key).limit(BATCH)
        if after is not None:
            place = [sa.literal(v, column.type) for v, column in zip(after, key, strict=True)]
            statement = statement.where(sa.tuple_(*key) > sa.tuple_(*place))
        rows = connection.execute(statement).all()
        if not rows:
            return kept
        after = tuple(rows[-1])
        for row in rows:
            kept += _rewrite(connection, *row)


def _rewrite(
    connection: sa.Connection, organization_id: UUID, system: str, kind: str, value: str
) -> list[str]:
    form = str(UUID(value)) if DIGITS.fullmatch(value) else value
    if form == value:
        return []
    c = EXTERNAL_ID.c
    same = sa.and_(c.organization_id == organization_id, c.system == system, c.kind == kind)
    taken = sa.select(sa.literal(1)).select_from(EXTERNAL_ID).where(same, c.value == form)
    if connection.execute(taken).first() is not None:
        return [f"{system}/{kind}/{value}"]
    connection.execute(sa.update(EXTERNAL_ID).where(same, c.value == value).values(value=form))
    return []
