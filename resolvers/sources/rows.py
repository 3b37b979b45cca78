"""What a format makes of a document: rows to import, and rows that are not as they should be."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from resolvers.references import Ref
from resolvers.refusals import Refused
from resolvers.sources.json_text import parse_json
from resolvers.storage.batches import Run
from resolvers.values import frozen
from resolvers.viewer import Viewer


@frozen
class ImportContext:
    """Into which organization, as whom, and under which centre what has none is put."""

    format: str
    viewer: Viewer
    centre: Ref | None = None
    associate: bool = False  # candidates with the centre and the subject of what they are to sit

    @property
    def organization_id(self) -> UUID:
        return self.viewer.organization_id


@frozen
class Row:
    """What one transaction imports; `path` is where it stands in the document."""

    path: tuple[str, ...]
    run: Run
    command: Any


@frozen
class BadRow:
    """A row that cannot be read. The paths of its refusals begin at the row."""

    path: tuple[str, ...]
    refused: Refused


@frozen
class Format:
    """A source's format. `rows` takes a document apart and never raises for what is in it.

    `names_rooms`: its documents name rooms without their centre.
    `associates`: it can tie candidates to the centre and the subject of what they are to sit.
    `parse` makes the document of a file's bytes, or raises Unreadable.
    """

    name: str
    rows: Callable[[Any, ImportContext], Iterator[Row | BadRow]]
    names_rooms: bool = False
    associates: bool = False
    parse: Callable[[bytes], Any] = parse_json


def each_document(
    document: Any, importing: ImportContext, row: Callable[..., Row | BadRow]
) -> Iterator[Row | BadRow]:
    """The row of a document that is one, or of each of an array of them, in their order.

    `row` is given the document, what it is imported into, and its place in the file.
    """
    if not isinstance(document, list):
        yield row(document, importing)
        return
    for n, element in enumerate(document):
        yield row(element, importing, str(n))
