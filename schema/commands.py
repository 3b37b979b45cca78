"""How a mutation hands its commands over, and what comes back.

Mutations map words and decide nothing: an input becomes commands, outcomes become a payload.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Any, TypeVar
from uuid import UUID

from strawberry import UNSET

from resolvers import checks
from resolvers.outcomes import Outcome
from resolvers.permitted import forbidden, needed_by
from resolvers.refusals import Complaints, Refused, attempt
from resolvers.storage import Idempotency
from resolvers.storage.batches import Run
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import BatchMode
from schema.context import Info
from schema.errors import BookingError, Warning, error_of

T = TypeVar("T")

LONGEST_KEY = 255


@frozen
class Answer:
    """What became of one command: an outcome, or errors."""

    outcome: Outcome | None
    errors: list[BookingError]

    @property
    def subject(self) -> UUID | None:
        return None if self.outcome is None else self.outcome.subject

    @property
    def row(self) -> Any:
        """The row that the outcome holds; None where the object has to be read."""
        return None if self.outcome is None else self.outcome.row

    @property
    def created(self) -> bool:
        return self.outcome is not None and self.outcome.created

    @property
    def changed(self) -> bool:
        return self.outcome is not None and self.outcome.changed

    @property
    def replayed(self) -> bool:
        return self.outcome is not None and self.outcome.replayed

    @property
    def warnings(self) -> list[Warning]:
        return [] if self.outcome is None else Warning.all_of(self.outcome.warnings)

    def fact(self, name: str) -> Any:
        """What else the outcome names; None where it names no such thing."""
        return None if self.outcome is None else self.outcome.facts.get(name)


def errors_of(answers: Iterable[Answer]) -> list[BookingError]:
    """The errors of a batch; an error of the whole request appears once, not for each element."""
    errors = {
        (type(error.refusal), error.refusal.path, error.refusal.message): error
        for answer in answers
        for error in answer.errors
    }
    return list(errors.values())


def given(value: T) -> T | None:
    """An optional input's value; None where it was left out."""
    return None if value is UNSET else value


async def ask(info: Info, run: Run, command: Any, *, idempotency_key: str | None = None) -> Answer:
    """Carry out one command."""
    return (await ask_all(info, run, [command], idempotency_key=idempotency_key))[0]


async def ask_all(
    info: Info,
    run: Run,
    commands: Callable[[Viewer], Sequence[Any]] | Sequence[Any],
    *,
    mode: BatchMode = BatchMode.BEST_EFFORT,
    idempotency_key: str | None = None,
) -> list[Answer]:
    """Carry out the commands of one request, given as they are or as what makes them.

    An answer for each, or the refusals of one that is refused whole. A viewer who lacks the
    permission is refused for that alone: nothing else of the request is looked at.
    """
    needed = needed_by(run)
    if not info.context.viewer.may(needed):
        return [_answer(forbidden(needed))]
    made = attempt(commands, info.context.viewer) if callable(commands) else commands
    if isinstance(made, Refused):
        return [_answer(made)]
    key = given(idempotency_key)
    stage = Complaints()
    path = ("input", "idempotencyKey")
    stage.of(checks.code, key, *path, most=LONGEST_KEY)
    _check_origin(made, stage)
    if stage.refusals:
        return [_answer(Refused(stage.refusals))]
    results = await info.context.write(
        run,
        made,
        all_or_nothing=mode is BatchMode.ALL_OR_NOTHING and len(made) > 1,
        idempotency=None if key is None else _idempotency(info, run, made, mode, key),
    )
    return [_answer(result) for result in results]


def _check_origin(commands: Sequence[Any], stage: Complaints) -> None:
    """Collect what is wrong with what the caller says about itself; a request has one origin."""
    origin = getattr(commands[0], "origin", None) if commands else None
    if origin is None:
        return
    for name in ("description", "reason", "source"):
        text = getattr(origin, name)
        stage.of(checks.text, text, "input", "origin", name, most=checks.TEXT)


def _answer(result: Outcome | Refused) -> Answer:
    if isinstance(result, Outcome):
        return Answer(result, [])
    return Answer(None, [error_of(refusal) for refusal in result.refusals])


def _idempotency(
    info: Info, run: Run, commands: Sequence[Any], mode: BatchMode, key: str
) -> Idempotency:
    viewer = info.context.viewer
    content = f"{run.__module__}.{run.__qualname__} {mode} {list(commands)!r}"
    return Idempotency(
        organization_id=viewer.organization_id,
        viewer=viewer.key,
        key=key,
        fingerprint=sha256(content.encode()).hexdigest(),
    )
