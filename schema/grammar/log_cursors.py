"""Cursors of the log of changes: one beyond the log's end or before its beginning is refused.

After a database is restored from a backup, clients have cursors that the log has not reached yet.
If such a cursor were accepted, the client would miss every change until the log has passed it.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from resolvers.change_reads import IN_COMMIT_ORDER, log_bounds, newest_position
from resolvers.refusals import CursorExpired, Invalid
from resolvers.storage.paging import PageRequest
from schema.grammar.context import Context
from schema.grammar.fields import computed

CHANGES_CURSOR: Final = "changesCursor"

FOLLOWED: Final = (
    "Cursor of the newest change at the time of this read. Pass it as `after` to a "
    "subscription to receive every change since. In the result of a subscription, it is "
    "the cursor of the change itself."
)

BEYOND = (
    "is beyond the end of the log of changes. The log may have been restored from a backup, or the "
    "cursor is another organization's. Read the current state, then continue without 'after'"
)


EXPIRED = (
    "is older than the changes that are kept. Read the current state, then continue with its "
    "changesCursor"
)


async def end_of_log(context: Context) -> int:
    """Return the position of the log's newest change; 0 for an empty log."""
    rows = await context.read(newest_position(context.viewer))
    return rows[0].position if rows else 0


def require_reached(position: int, end: int) -> None:
    """Raises: Invalid, for a position that the log has not reached."""
    if position > end:
        raise Invalid("after", rule=BEYOND)


async def require_kept(context: Context, position: int) -> None:
    """Require that no change after a position has been deleted.

    Call it after the changes were read: they may be deleted at any time. Raises: CursorExpired;
    Invalid, for a position that the log has not reached.
    """
    rows = await context.read(log_bounds(context.viewer))
    require_reached(position, rows[0].newest if rows else 0)
    if rows and position < rows[0].kept_after:
        raise CursorExpired("after", rule=EXPIRED)


def check_of(page: PageRequest) -> Callable[[Context], Awaitable[None]] | None:
    """Return the check of a page's cursor, to be called after the page was read."""
    if page.after is None:
        return None
    [position] = page.after

    async def check(context: Context) -> None:
        await require_kept(context, position)

    return check


def changes_cursor() -> Any:
    """A field with the log position after which the operation's data may have changed."""
    return computed(by=lambda _, context: context.changes_cursor, description=FOLLOWED)


async def note_changes_cursor(context: Context) -> None:
    """Read the end of the log, before the operation reads anything else.

    A failure is raised at the field that shows the cursor.
    """
    try:
        context.note_changes_cursor(IN_COMMIT_ORDER.cursor_of([await end_of_log(context)]))
    except Exception as error:
        context.note_changes_cursor(error)


def cursor_of(change: object) -> str | None:
    """Return the cursor of a subscription's event; None if it has no position in the log."""
    position = getattr(getattr(change, "row", None), "position", None)
    if position is not None:
        return IN_COMMIT_ORDER.cursor_of([position])
    cursor = getattr(change, "cursor", None)
    return cursor if isinstance(cursor, str) else None
