"""The documents that the demo imports, as printed in the source documents."""

from importlib.resources import files
from typing import Any
from uuid import UUID

from demo.storage import DemoRefused
from resolvers.sources.formats import FORMATS
from resolvers.sources.importing import import_document
from resolvers.sources.json_text import parse_json
from resolvers.storage import Storage


def demo_document(name: str) -> Any:
    """One of the documents of [000], or the booking of [004]."""
    folder = files(__package__) / "documents"
    return parse_json((folder / f"{name}.json").read_bytes())


async def import_all(
    storage: Storage,
    format: str,
    document: Any,
    organization_id: UUID,
    *,
    centre: str | None = None,
) -> None:
    """Import every row of a document. Raises: DemoRefused."""
    report = await import_document(
        storage, FORMATS[format], document, organization_id=organization_id, centre=centre
    )
    if report.refused:
        raise DemoRefused(f"{format}: {report.refused[0].reasons}")
