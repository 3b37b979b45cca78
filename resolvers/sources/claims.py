"""Claims of external ids: under which key of the source an object is known from now on."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from resolvers.external_ids import ExternalIds
from resolvers.links import rows_of
from resolvers.references import ByExternalId
from resolvers.refusals import Refused
from resolvers.sources.steps import Names, done
from resolvers.storage.tables import ExternalId
from resolvers.storage.unit_of_work import UnitOfWork


def claim(
    work: UnitOfWork,
    organization_id: UUID,
    type_name: str,
    key: UUID,
    given: Sequence[ByExternalId],
    names: Names,
) -> bool:
    """Make external ids an object's; whether any is new to it.

    Raises: Refused (AlreadyExists, at the place of `external_ids`), if one is another object's.
    """
    owner, ids = (organization_id, key), ExternalIds()
    ids.load(work, [(organization_id, one) for one in given], [owner])
    if refusals := ids.refusals(owner, given, "external_ids"):
        done([Refused(refusals)], names)
    claimed = ids.claim(type_name, owner, given)
    ids.save(work)
    return claimed


def external_ids_of(work: UnitOfWork, organization_id: UUID, row: Any) -> list[ByExternalId]:
    """The external ids of a row, if there is one."""
    owners = [] if row is None else [(organization_id, row.id)]
    found = rows_of(work, ExternalId, "object_id", owners)
    return [ByExternalId(one.system, one.kind, one.value) for one in found]
