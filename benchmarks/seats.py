"""Counts the seats that are taken, in a database whose bookings were made in SQL."""

from typing import Final

SEATED: Final = "status IN ('PENDING', 'CONFIRMED', 'IN_PROGRESS')"


def _counted(counters: str, *key: str) -> tuple[str, str]:
    names = ", ".join(("organization_id", *key))
    return (
        f"DELETE FROM {counters}",  # noqa: S608 - our own names
        f"INSERT INTO {counters} ({names}, taken) SELECT {names}, count(*) FROM booking "  # noqa: S608
        f"WHERE {SEATED} AND {key[0]} IS NOT NULL GROUP BY {names} ORDER BY {names}",
    )


COUNT_SEATS: Final = (
    *_counted("event_seats", "event_id"),
    *_counted("room_seats", "room_id", "busy_until_at", "start_at"),
)
"""Statements for both databases that fill the counters anew."""
