"""Carries out the commands of a mutation's input.

Mutations contain no rules: an input becomes commands, outcomes become a payload, and refusals,
which name fields of commands, become errors with the paths of the input.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import Any, TypeVar
from uuid import UUID

from resolvers import checks
from resolvers.outcomes import Outcome
from resolvers.permitted import forbidden, needed_by
from resolvers.refusals import Naming, Refused, ValidationErrors, attempt, renamed
from resolvers.storage import Idempotency
from resolvers.storage.batches import Run
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import BatchMode
from schema.grammar.context import Info
from schema.grammar.errors import UserError, error_of
from schema.grammar.inputs import given
from schema.grammar.paths import sent_path
from schema.grammar.warnings import Warning

T = TypeVar("T")

LONGEST_KEY = 255


@frozen
class Answer:
    """The result of one command: an outcome, or errors."""

    outcome: Outcome | None
    errors: list[UserError]
    of_request: bool = False
    """Whether the errors are those of a request that was refused as a whole."""

    @property
    def subject(self) -> UUID | None:
        return None if self.outcome is None else self.outcome.subject

    @property
    def row(self) -> Any:
        """The row that the outcome holds; None if the object has to be read."""
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
        """Return another fact of the outcome; None if the outcome has no such fact."""
        return None if self.outcome is None else self.outcome.facts.get(name)


def errors_of(answers: Iterable[Answer]) -> list[UserError]:
    """Return the errors of a batch; an error of the whole request appears once, not for each
    element.
    """
    errors = {
        (type(error.refusal), error.refusal.path, error.refusal.message): error
        for answer in answers
        for error in answer.errors
    }
    return list(errors.values())


async def submit(info: Info, run: Run, input: Any, **more: Any) -> Answer:
    """Carry out the command of an input; `more` are further arguments of its `to_command`."""
    return (await _ask(info, run, input, lambda viewer: [input.to_command(viewer, **more)]))[0]


async def submit_all(info: Info, run: Run, input: Any) -> list[Answer]:
    """Carry out the commands of an input, in its mode.

    Returns a result for each command, or one with the errors of an input that is refused as a
    whole.
    """
    return await _ask(info, run, input, input.to_commands, mode=input.mode)


async def _ask(
    info: Info,
    run: Run,
    input: Any,
    to_commands: Callable[[Viewer], Sequence[Any]],
    *,
    mode: BatchMode = BatchMode.BEST_EFFORT,
) -> list[Answer]:
    """Carry out the commands of an input. Errors have the paths of the input.

    A viewer without the permission gets only that refusal: the rest of the request is not
    validated.
    """
    naming = partial(sent_path, input)
    needed = needed_by(run)
    if not info.context.viewer.may(needed):
        return [_refused_request(forbidden(needed), naming)]
    commands = attempt(to_commands, info.context.viewer)
    if isinstance(commands, Refused):
        return [_refused_request(commands, naming)]
    key = given(getattr(input, "idempotency_key", None))
    stage = ValidationErrors()
    if key is not None:
        stage.of(checks.code, key, "idempotency_key", most=LONGEST_KEY)
    _check_origin(commands, stage)
    if stage.refusals:
        return [_refused_request(Refused(stage.refusals), naming)]
    results = await info.context.write(
        run,
        commands,
        all_or_nothing=mode is BatchMode.ALL_OR_NOTHING and len(commands) > 1,
        idempotency=None if key is None else _idempotency(info, run, commands, mode, key, naming),
    )
    return [_answer(result, naming) for result in results]


def _check_origin(commands: Sequence[Any], stage: ValidationErrors) -> None:
    """Validate the origin that the caller sent; a request has one origin."""
    origin = getattr(commands[0], "origin", None) if commands else None
    if origin is None:
        return
    for name in ("description", "reason", "source"):
        stage.of(checks.text, getattr(origin, name), "origin", name, most=checks.TEXT)


def _answer(result: Outcome | Refused, naming: Naming) -> Answer:
    if isinstance(result, Outcome):
        return Answer(result.renamed(naming), [])
    return Answer(None, [error_of(refusal) for refusal in renamed(result, naming).refusals])


def _refused_request(refused: Refused, naming: Naming) -> Answer:
    return replace(_answer(refused, naming), of_request=True)


def _idempotency(
    info: Info, run: Run, commands: Sequence[Any], mode: BatchMode, key: str, naming: Naming
) -> Idempotency:
    viewer = info.context.viewer
    content = f"{run.__module__}.{run.__qualname__} {mode} {list(commands)!r}"
    return Idempotency(
        organization_id=viewer.organization_id,
        viewer=viewer.key,
        key=key,
        fingerprint=sha256(content.encode()).hexdigest(),
        naming=naming,
    )
