"""What a unit of work shows to its observer: the changes that it is about to commit."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

if TYPE_CHECKING:
    from resolvers.storage.unit_of_work import UnitOfWork


class Recorded(NamedTuple):
    """A change as a row of the log, and all that is true after it."""

    row: dict[str, Any]
    facts: Mapping[str, Any]


Observer = Callable[["UnitOfWork", UUID, Sequence[Recorded]], None]
"""Called in the transaction with the changes of an organization, once they have positions.

Only for organizations whose position in the log has `notifies`. What it writes is committed with
the changes.
"""
