"""Reads of the changes of events after a cursor that match a filter."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.visitors import ExternallyTraversible, replacement_traverse

from resolvers.events.filters import A_MINUTE_AGO, NOW, event_narrowing
from resolvers.events.minute import a_minute_before
from resolvers.reading import page_of
from resolvers.storage.filters import NO_FILTER, Filter
from resolvers.storage.narrowing import Narrowing
from resolvers.storage.paging import PageRequest
from resolvers.storage.read import Read
from resolvers.storage.tables import ChangeLog, Event, EventVersion, columns, table
from resolvers.viewer import Viewer

OF_EVENTS = Narrowing("of events", lambda: columns(ChangeLog).event_type.is_not(None))


def changes_page(
    viewer: Viewer, page: PageRequest, filter: Filter = NO_FILTER, *, now: datetime
) -> Read[ChangeLog]:
    """Return a page of the changes of events that match a filter, in commit order.

    A change matches if the event matches before or after it. The status counts as of the change;
    free seats, and a source's keys for the centre, count as they are `now`.
    """
    narrowing = OF_EVENTS
    if filter != NO_FILTER:
        narrowing = narrowing & _before_or_after(event_narrowing(viewer, filter, now))
    return page_of(ChangeLog, viewer, page, narrowing)


def _before_or_after(found: Narrowing) -> Narrowing:
    def narrow() -> sa.ColumnElement[bool]:
        c, v = columns(ChangeLog), columns(EventVersion)
        return (
            sa.exists()
            .where(
                v.organization_id == c.organization_id,
                v.id == c.event_id,
                v.version.between(c.version - 1, c.version),
                _of_version(found.narrow()),
            )
            .correlate(table(ChangeLog))
        )

    return Narrowing(("before or after", found.shape), narrow, found.values)


def _of_version(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Convert a condition on an event to one on its version at the time of a change."""
    events, versions = table(Event), table(EventVersion)
    at = columns(ChangeLog).at
    moments = {NOW: at, A_MINUTE_AGO: a_minute_before(at)}

    def replace(element: ExternallyTraversible, **_: Any) -> Any:
        match element:
            case sa.Table() if element is events:
                return versions
            case sa.Column() if element.table is events:
                return versions.c[element.key]
            case sa.BindParameter() if element.key in moments:
                return moments[element.key]
        return None

    return replacement_traverse(condition, {}, replace)
