"""The permission that a command needs; it is checked before any lookup."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar, cast

from resolvers.outcomes import Outcome
from resolvers.refusals import PermissionRefusal, Refused
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.vocabulary import Permission

Run = TypeVar("Run", bound=Callable[..., list[Outcome | Refused]])
"""A function that carries out a batch of commands."""


def requires(permission: Permission) -> Callable[[Run], Run]:
    """Carry out only the commands of viewers who have the permission.

    The others are refused for the missing permission only: if their references were looked up, the
    refusals would reveal what exists. A command that has `happened` is imported and needs no
    permission.
    """

    def declare(run: Run) -> Run:
        @wraps(run)
        def permitted(
            work: UnitOfWork, commands: Sequence[Any], **options: Any
        ) -> list[Outcome | Refused]:
            may = [_may(command, permission) for command in commands]
            if all(may):
                return run(work, commands, **options)
            carried = [command for command, ok in zip(commands, may, strict=True) if ok]
            outcomes = iter(run(work, carried, **options) if carried else ())
            return [next(outcomes) if ok else forbidden(permission) for ok in may]

        declared: Any = permitted
        declared.permission = permission
        return cast(Run, permitted)

    return declare


def needed_by(run: Callable[..., Any]) -> Permission:
    """Return the permission that the commands of a function need."""
    declared: Any = run
    needed: Permission = declared.permission
    return needed


def forbidden(permission: Permission) -> Refused:
    """Return the only refusal of a viewer without the permission."""
    return Refused([PermissionRefusal(required=permission)])


def _may(command: Any, permission: Permission) -> bool:
    return bool(getattr(command, "imported", None) or command.viewer.may(permission))
