"""Warnings of successful operations, in payloads and in changes."""

from collections.abc import Iterable

from resolvers.outcomes import Warning as DomainWarning
from resolvers.vocabulary import WarningCode
from schema.grammar.declaring import object_type
from schema.grammar.fields import attribute


@object_type(description="Done, but worth knowing.")
class Warning:
    code: WarningCode = attribute(description="What it is about, for programs.")
    message: str = attribute(description="What it is about, for people.")
    path: list[str] = attribute(description="Where in the input it comes from.")

    @classmethod
    def all_of(cls, warnings: Iterable[DomainWarning]) -> "list[Warning]":
        return [
            cls(code=WarningCode(w.code), message=w.message, path=list(w.path)) for w in warnings
        ]
