"""What payloads have in common: the object that a command was about, read again after the write."""

from typing import Any

from schema.commands import Answer
from schema.context import Info
from schema.found import load_node


async def written(info: Info, name: str, answer: Answer) -> Any:
    """The object of that type that a command wrote; None where the command was refused."""
    return None if answer.subject is None else await load_node(info, name, answer.subject)


CREATED = "Whether it was made, and not only updated."
ERRORS = "Why it was refused; empty when it was done."
WARNINGS = "Done, but worth knowing."
"""Descriptions of fields that payloads share."""
