"""The outcome of a command. The alternative is a refusal (`resolvers.refusals`)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any
from uuid import UUID

from resolvers.values import frozen
from resolvers.vocabulary import ImportNote, WarningCode


@frozen
class Warning:
    """A warning; the operation succeeded.

    `path` leads to a field of the command. `{field}` in the message is replaced by the caller's
    name of the field.
    """

    code: WarningCode | ImportNote
    message: str
    path: tuple[str, ...] = ()

    def to_json(self) -> list[Any]:
        return [self.code.value, self.message, list(self.path)]

    def renamed(self, naming: Callable[[Sequence[str]], tuple[str, ...]]) -> "Warning":
        """Return the warning in the caller's terms."""
        path = naming(self.path)
        field = next((name for name in reversed(path) if not name.isdigit()), "")
        return Warning(self.code, self.message.replace("{field}", field), path)

    @classmethod
    def from_json(cls, kept: Sequence[Any]) -> "Warning":
        code, message, path = kept
        return cls(WarningCode(code), message, tuple(path))


@frozen
class Outcome:
    """The result of a successful command.

    `subject` is the key of its object. `facts` has further results: keys as hex text, flags,
    counts; JSON values only, since an idempotency key keeps outcomes for a day. `row` is the
    object's row after this command, if the payload shows that version and not a later one;
    `related` has the rows of other objects, by table, as the transaction saw them. Neither is
    stored for a replay.
    """

    subject: UUID
    changed: bool = True
    created: bool = False
    warnings: tuple[Warning, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    replayed: bool = False
    row: Any = field(default=None, compare=False, repr=False)
    related: Mapping[type, Any] = field(default_factory=dict, compare=False, repr=False)

    def to_json(self) -> dict[str, Any]:
        return {
            "subject": self.subject.hex,
            "changed": self.changed,
            "created": self.created,
            "warnings": [warning.to_json() for warning in self.warnings],
            "facts": dict(self.facts),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Outcome":
        """Return a stored outcome, marked as replayed."""
        return cls(
            subject=UUID(kept["subject"]),
            changed=kept["changed"],
            created=kept["created"],
            warnings=tuple(Warning.from_json(warning) for warning in kept["warnings"]),
            facts=kept["facts"],
            replayed=True,
        )

    def renamed(self, naming: Callable[[Sequence[str]], tuple[str, ...]]) -> "Outcome":
        """Return the outcome with its warnings in the caller's terms."""
        if not self.warnings:
            return self
        return replace(self, warnings=tuple(one.renamed(naming) for one in self.warnings))
