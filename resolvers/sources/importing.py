"""Imports a document: row by row, each a transaction of its own that never stops the others."""

from typing import Any
from uuid import UUID

from resolvers.outcomes import Outcome
from resolvers.references import ByKey, ByReference, Lookup, Ref
from resolvers.refusals import Refused
from resolvers.sources.report import Report, RowReport, row_report
from resolvers.sources.rows import BadRow, Format, ImportContext, Row
from resolvers.storage import Storage
from resolvers.storage.tables import Centre
from resolvers.texts import normalized
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
        format.rows(document, ImportContext(format.name, viewer, under, associate)), 1
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
    named = ByReference(normalized(reference))
    lookup: Lookup[Centre] = Lookup(Centre, [(viewer, named)])
    lookup.found(
        [(group, row) for group, read in lookup.reads() for row in await storage.read(read)]
    )
    return ByKey(lookup.one(viewer, named, "centre").id)
