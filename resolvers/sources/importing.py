"""Imports a document: row by row, each a transaction of its own that never stops the others."""

from typing import Any
from uuid import UUID

from resolvers.outcomes import Outcome
from resolvers.reading import rows_by
from resolvers.references import ByKey, Ref
from resolvers.refusals import NotFoundRefusal, Refused
from resolvers.sources.report import Report, RowReport, row_report
from resolvers.sources.rows import BadRow, Format, Importing, Row
from resolvers.storage import Storage
from resolvers.storage.tables import Centre
from resolvers.viewer import PERMISSIONS, Viewer
from resolvers.vocabulary import Role


async def import_document(
    storage: Storage,
    format: Format,
    document: Any,
    *,
    organization_id: UUID,
    centre: str | None = None,
    associate: bool = False,
) -> Report:
    """Import every row of a document that can be imported, and say what became of each.

    The same document again changes nothing. Rooms that only a number names are put under the centre
    with the reference given. `associate` ties candidates to the centre and the subject of what they
    are scheduled for. Raises: NotFoundRefusal (there is no such centre).
    """
    viewer = importer(organization_id, format.name)
    under = None if centre is None else await _centre(storage, viewer, centre)
    rows: list[RowReport] = []
    for number, row in enumerate(
        format.rows(document, Importing(format.name, viewer, under, associate)), 1
    ):
        result = row.refused if isinstance(row, BadRow) else await _import(storage, row)
        rows.append(row_report(number, row.path, result))
    return Report(tuple(rows))


def importer(organization_id: UUID, format_name: str) -> Viewer:
    """Who imports: the program, which may do everything in the organization."""
    return Viewer(
        organization_id=organization_id,
        role=Role.ADMIN,
        name=f"import {format_name}",
        key=f"import:{format_name}",
        permissions=PERMISSIONS[Role.ADMIN],
    )


async def _import(storage: Storage, row: Row) -> Outcome | Refused:
    """Nothing of a row that is refused stays."""
    results = await storage.write(row.run, [row.command], all_or_nothing=True)
    return results[0]


async def _centre(storage: Storage, viewer: Viewer, reference: str) -> Ref:
    """Raises: NotFoundRefusal."""
    found = await storage.read(rows_by(Centre, "reference", viewer, [reference]))
    if not found:
        raise NotFoundRefusal("centre", object_type="Centre", identifier=reference)
    return ByKey(found[0].id)
