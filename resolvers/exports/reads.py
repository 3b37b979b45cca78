"""The rows of a file of events."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from resolvers.events.filters import SHIFT_IQ, event_narrowing
from resolvers.events.reads import ordering_of
from resolvers.exports.asked import EventExport
from resolvers.exports.calendar import COLUMNS as CALENDAR_COLUMNS
from resolvers.reading import ORGANIZATION, of_organization
from resolvers.storage.paging import PageRequest, in_order
from resolvers.storage.read import Read
from resolvers.storage.tables import Centre, Event, ExternalId, Room, columns, table
from resolvers.viewer import Viewer
from resolvers.vocabulary import ExportFormat


def exported_events(viewer: Viewer, export: EventExport, *, now: datetime) -> Read[Any]:
    """All events of an export in its order. Stream the rows.

    The columns are the export's fields in their order. A calendar has its own columns, and only
    events with a start.
    """
    narrowing = event_narrowing(viewer, export.filter, now)
    everything = PageRequest(ordering_of(export.sort), 0)
    in_calendar = export.format is ExportFormat.ICS
    names = CALENDAR_COLUMNS if in_calendar else tuple(field.column for field in export.fields)

    def build(_: str) -> sa.Select[Any]:
        e = columns(Event)
        known = {**dict(e.items()), **(_in_calendar() if in_calendar else _in_table(viewer))}
        statement = sa.select(*(known[name].label(name) for name in names)).where(
            of_organization(Event), narrowing.narrow()
        )
        if in_calendar:
            statement = _with_places(statement).where(e.start_at.is_not(None))
        return in_order(statement, everything, e)

    return Read(
        ("exported events", everything.ordering, names, viewer.is_staff),
        build,
        {ORGANIZATION: viewer.organization_id},
        narrowing=narrowing,
    )


def _in_table(viewer: Viewer) -> Mapping[str, sa.ColumnElement[Any]]:
    """The columns from other tables."""
    e = columns(Event)
    hidden = {} if viewer.is_staff else {"last_change_user": sa.literal_column("NULL", sa.String())}
    return {
        **hidden,
        "organization_identifier": _known_as(e.organization_id, "organization"),
        "venue_identifier": _known_as(e.venue_id, "venue"),
        # an import keeps the source's text; otherwise it is the name of the unit
        "duration_unit": sa.func.coalesce(
            e.duration_unit_text, sa.cast(e.duration_unit, sa.String())
        ),
        "event_type": sa.func.coalesce(e.event_type, sa.cast(e.kind, sa.String())),
    }


def _in_calendar() -> Mapping[str, sa.ColumnElement[Any]]:
    return {
        "centre_name": columns(Centre).name,
        "room_name": sa.func.coalesce(columns(Event).venue_room, columns(Room).name),
    }


def _with_places(statement: sa.Select[Any]) -> sa.Select[Any]:
    e, c, r = columns(Event), columns(Centre), columns(Room)
    of_centre = sa.and_(c.organization_id == e.organization_id, c.id == e.venue_id)
    of_room = sa.and_(r.organization_id == e.organization_id, r.id == e.room_id)
    return (
        statement.select_from(table(Event))
        .join(table(Centre), of_centre, isouter=True)
        .join(table(Room), of_room, isouter=True)
    )


def _known_as(column: sa.ColumnElement[Any], kind: str) -> sa.ColumnElement[Any]:
    """Shift iQ's identifier of an object, v2 before v1; our own key if there is none."""
    x = columns(ExternalId)
    theirs = (
        sa.select(x.value)
        .where(
            x.organization_id == columns(Event).organization_id,
            sa.or_(*(x.system == system for system in SHIFT_IQ)),
            x.kind == sa.literal_column(f"'{kind}'", sa.String()),
            x.object_id == column,
        )
        .order_by(x.system.desc(), x.value)
        .limit(sa.literal_column("1"))
        .correlate(table(Event))
        .scalar_subquery()
    )
    return sa.func.coalesce(theirs, sa.cast(sa.type_coerce(column, sa.Uuid()), sa.String()))
