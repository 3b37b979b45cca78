"""Warnings of successful operations, in payloads and in changes."""

from collections.abc import Iterable

from resolvers.outcomes import Warning as DomainWarning
from resolvers.vocabulary import WarningCode
from schema.grammar.declaring import object_type
from schema.grammar.fields import attribute


@object_type(description="A problem that did not stop the operation.")
class Warning:
    code: WarningCode = attribute(description="Machine-readable code of the warning.")
    message: str = attribute(description="Message in English for people.")
    path: list[str] = attribute(
        description="Path to the value in your variables that caused the warning."
    )

    @classmethod
    def all_of(cls, warnings: Iterable[DomainWarning]) -> "list[Warning]":
        return [
            cls(code=WarningCode(w.code), message=w.message, path=list(w.path)) for w in warnings
        ]
