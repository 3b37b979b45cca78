"""Compares the schema with an earlier edition: what breaks clients, what may, and what is new."""

from pathlib import Path
from typing import Final

from graphql import GraphQLError, GraphQLSchema
from graphql import build_schema as parsed
from graphql.utilities import (
    BreakingChange,
    DangerousChange,
    SafeChange,
    SafeChangeType,
    find_schema_changes,
)

from gateway.failures import Failed
from schema import build_schema

LABELS: Final = {BreakingChange: "breaking", DangerousChange: "dangerous", SafeChange: "addition"}
"""The label of each kind of change, in the order in which they are printed."""


def changes_since(file: Path) -> list[str]:
    """Each change since the schema in a file, with its label: `breaking: …`, `dangerous: …`.

    Changed descriptions are left out. Raises: Failed, if the file is not a schema.
    """
    changes = find_schema_changes(_read(file), parsed(build_schema().as_str()))
    return [
        f"{label}: {change.description}"
        for kind, label in LABELS.items()
        for change in changes
        if isinstance(change, kind) and change.type is not SafeChangeType.DESCRIPTION_CHANGED
    ]


def is_breaking(change: str) -> bool:
    return change.startswith(LABELS[BreakingChange])


def _read(file: Path) -> GraphQLSchema:
    try:
        return parsed(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise Failed(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Failed(f"{file} is not UTF-8 text") from error
    except GraphQLError as error:
        [line, *_] = [location.line for location in error.locations or ()] or [1]
        raise Failed(f"{file} is not a GraphQL schema: line {line}: {error.message}") from error
    except TypeError as error:
        raise Failed(f"{file} is not a valid GraphQL schema: {error}") from error
