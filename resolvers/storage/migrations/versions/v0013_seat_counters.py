"""How many seats are taken at each event and in each room, counted once for all.

From now on each booking changes the counters. A gateway of an earlier version does not: stop it
before this step.
"""

from alembic import op

from resolvers.storage.migrations.words import check, instant, key, number, primary_key, refers_to

revision = "0013"
down_revision = "0012"

TAKES_A_SEAT = "status in ('PENDING', 'CONFIRMED', 'IN_PROGRESS')"
COUNTERS = {
    "event_seats": ("event_id",),
    "room_seats": ("room_id", "busy_until_at", "start_at"),
}


def upgrade() -> None:
    # an update of a counter finds room on its page, and changes no index
    half_full = {"fillfactor": "50"}
    op.create_table(
        "event_seats",
        key("organization_id"),
        key("event_id"),
        number("taken"),
        primary_key("organization_id", "event_id"),
        refers_to("event", "event_id"),
        check("taken", "taken >= 0"),
        postgresql_with=half_full,
    )
    op.create_table(
        "room_seats",
        key("organization_id"),
        key("room_id"),
        instant("busy_until_at"),
        instant("start_at"),
        number("taken"),
        primary_key("organization_id", "room_id", "busy_until_at", "start_at"),
        refers_to("room", "room_id"),
        check("taken", "taken >= 0"),
        postgresql_with=half_full,
    )
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    if on_postgresql:
        op.execute("LOCK TABLE booking IN SHARE MODE")
    for table, names in COUNTERS.items():
        keys = ", ".join(("organization_id", *names))
        op.execute(
            f"INSERT INTO {table} ({keys}, taken) SELECT {keys}, count(*) FROM booking "  # noqa: S608
            f"WHERE {TAKES_A_SEAT} AND {names[0]} IS NOT NULL GROUP BY {keys} ORDER BY {keys}"
        )
        if on_postgresql:
            op.execute(f"ANALYZE {table}")
