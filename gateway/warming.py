"""Compiles documents in the background before their first use, which costs 2 to 20 ms.

The work starts after the first requests and runs in small steps with pauses. No step takes longer
than the first use of a document.
"""

import asyncio
import logging
import re
import time
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, metadata
from itertools import islice
from typing import Final
from uuid import UUID

from gateway.graphiql import EXAMPLES
from gateway.manifests import Document
from gateway.operations import Operations
from resolvers.viewer import PERMISSIONS, Viewer, scope_of
from resolvers.vocabulary import Role

logger = logging.getLogger(__name__)

DELAY_SECONDS: Final = 1.0
"""The delay after the start."""

REST: Final = 9
"""The pause after each step, as a multiple of the step's time. The work takes a tenth of a core."""

LEAST_REST_SECONDS: Final = 0.001

MOST_DOCUMENTS: Final = 1_000
"""The largest number of documents. More would fill the cache and take a minute."""

PACKAGE: Final = "booking-gateway"
BLOCK: Final = re.compile(r"^```graphql\n(.*?)^```$", re.MULTILINE | re.DOTALL)

ANY: Final = UUID(int=0)
VIEWERS: Final = tuple(
    Viewer(
        organization_id=ANY,
        role=role,
        name="",
        key="",
        permissions=PERMISSIONS[role],
        scope=scope_of(role, centres=frozenset({ANY}), subjects=frozenset({ANY})),
    )
    for role in (Role.ADMIN, Role.SCHEDULER, Role.CENTRE_STAFF)
)
"""The viewers for whom plans are compiled. A plan depends on the role, and on whether it is
restricted."""


def documents(manifest: Iterable[Document]) -> Iterator[Document]:
    """The documents of a manifest, of the page and of README, each text once."""
    known: set[str] = set()
    for document in (*manifest, *_of_page(), *_of_readme()):
        if document.text not in known:
            known.add(document.text)
            yield document


def _of_page() -> Iterator[Document]:
    return (Document(example.title, example.query) for example in EXAMPLES)


def _of_readme() -> Iterator[Document]:
    """The examples of README, which is the description of the package."""
    try:
        description = metadata(PACKAGE)["Description"]
    except (PackageNotFoundError, KeyError):
        return
    for number, text in enumerate(BLOCK.findall(description or "")):
        yield Document(f"README {number}", text)


async def warm(operations: Operations, manifest: tuple[Document, ...]) -> None:
    """Compile the documents that clients are likely to send."""
    await asyncio.sleep(DELAY_SECONDS)
    if len(manifest) > MOST_DOCUMENTS:
        logger.warning(
            "The manifest has %d operations; the first %d are compiled before their first use",
            len(manifest),
            MOST_DOCUMENTS,
        )
    for document in documents(islice(manifest, MOST_DOCUMENTS)):
        for viewer in VIEWERS:
            began = time.thread_time()
            is_valid = _prepared(operations, document, viewer)
            took = time.thread_time() - began
            await asyncio.sleep(max(LEAST_REST_SECONDS, REST * took))
            if not is_valid:
                break


def _prepared(operations: Operations, document: Document, viewer: Viewer) -> bool:
    """Compile a document for viewers of one kind; False for a document that is not valid."""
    try:
        errors = operations.prepare(document.text, viewer)
    except Exception:
        logger.exception("Operation %r could not be compiled", document.name)
        return False
    if errors:
        logger.warning("Operation %r is not valid: %s", document.name, errors[0].message)
    return not errors
