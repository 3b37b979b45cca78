"""Cursors of the log of changes: one beyond the log's end, or of before its beginning, is refused.

After a database was restored from a backup, clients have cursors that the log has not reached yet.
Accepted, such a cursor would hide every change until the log has grown past it.
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
    "The cursor of the newest change when the operation began to read. Pass it as `after` to "
    "receive every change since. In the result of a subscription, it is the cursor of the change."
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
    """The position of the log's newest change; 0 without any."""
    rows = await context.read(newest_position(context.viewer))
    return rows[0].position if rows else 0


def require_reached(position: int, end: int) -> None:
    """Raises: Invalid, for a position that the log has not reached."""
    if position > end:
        raise Invalid("after", rule=BEYOND)


async def require_kept(context: Context, position: int) -> None:
    """Require that no change after a position has been deleted.

    Ask after the changes were read: they may be deleted at any time.
    Raises: CursorExpired; Invalid, for a position that the log has not reached.
    """
    rows = await context.read(log_bounds(context.viewer))
    require_reached(position, rows[0].newest if rows else 0)
    if rows and position < rows[0].kept_after:
        raise CursorExpired("after", rule=EXPIRED)


def check_of(page: PageRequest) -> Callable[[Context], Awaitable[None]] | None:
    """What a page of the log asks once it was read: whether the log has the page's cursor."""
    if page.after is None:
        return None
    [position] = page.after

    async def check(context: Context) -> None:
        await require_kept(context, position)

    return check


def changes_cursor() -> Any:
    """A field with the log position from which to follow what an operation has read."""
    return computed(by=lambda _, context: context.changes_cursor, description=FOLLOWED)


async def note_changes_cursor(context: Context) -> None:
    """Read where the log ends, before the operation reads anything else.

    A failure is raised where the cursor is shown.
    """
    try:
        context.note_changes_cursor(IN_COMMIT_ORDER.cursor_of([await end_of_log(context)]))
    except Exception as error:
        context.note_changes_cursor(error)


def cursor_of(change: object) -> str | None:
    """The cursor of what a subscription yields; None if it has no position in the log."""
    position = getattr(getattr(change, "row", None), "position", None)
    if position is not None:
        return IN_COMMIT_ORDER.cursor_of([position])
    cursor = getattr(change, "cursor", None)
    return cursor if isinstance(cursor, str) else None
