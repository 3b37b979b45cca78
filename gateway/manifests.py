"""A manifest of operations: the documents that a deployment's clients send.

The format is that of Apollo's persisted query manifests, of which only the operations' names and
bodies are read: `{"operations": [{"name": "Roster", "body": "query Roster { … }"}]}`.
"""

import json
from pathlib import Path
from typing import Any

from resolvers.values import frozen


@frozen
class Document:
    """A GraphQL document with a name for the log."""

    name: str
    text: str


class WrongManifest(ValueError):
    """A file that is not a manifest. The message is what is wrong with it."""


def read_manifest(path: Path) -> tuple[Document, ...]:
    """The documents of a manifest, in its order. Raises: WrongManifest."""
    try:
        manifest = json.loads(path.read_bytes())
    except OSError as error:
        raise WrongManifest(f"cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise WrongManifest("is not JSON") from None
    operations = manifest.get("operations") if isinstance(manifest, dict) else None
    if not isinstance(operations, list):
        raise WrongManifest("has no list of operations")
    return tuple(_document(operation, number) for number, operation in enumerate(operations))


def _document(operation: Any, number: int) -> Document:
    body = operation.get("body") if isinstance(operation, dict) else None
    if not isinstance(body, str):
        raise WrongManifest(f"has an operation without a body (operations.{number})")
    return Document(str(operation.get("name", number)), body)
