"""What a command comes to: an outcome, or a refusal (`resolvers.refusals`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Warning:
    """Done, but worth knowing."""

    code: str
    message: str
    path: tuple[str, ...] = ("input",)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did.

    `subject` is the key of the object it was about. `facts` holds what else the answer names: keys
    as hex text, flags, counts; only what JSON can hold, since an idempotency key keeps outcomes for
    a day. `row` is the object's row as this command left it, where the answer shows that version
    and not a later one; it is not kept for a replay.
    """

    subject: UUID
    changed: bool = True
    created: bool = False
    warnings: tuple[Warning, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    replayed: bool = False
    row: Any = field(default=None, compare=False, repr=False)

    def to_json(self) -> dict[str, Any]:
        return {
            "subject": self.subject.hex,
            "changed": self.changed,
            "created": self.created,
            "warnings": [[w.code, w.message, list(w.path)] for w in self.warnings],
            "facts": dict(self.facts),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Outcome":
        """An outcome that was kept, marked as replayed."""
        return cls(
            subject=UUID(kept["subject"]),
            changed=kept["changed"],
            created=kept["created"],
            warnings=tuple(
                Warning(code, text, tuple(path)) for code, text, path in kept["warnings"]
            ),
            facts=kept["facts"],
            replayed=True,
        )

    def with_warnings(self, *warnings: Warning) -> "Outcome":
        return replace(self, warnings=(*self.warnings, *warnings))
