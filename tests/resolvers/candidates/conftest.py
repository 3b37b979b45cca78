"""A centre, a subject, a department and a module, and a command for a candidate."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from resolvers.candidates.commands import UpsertCandidate, UpsertDepartment, upsert_departments
from resolvers.centres.commands import UpsertCentre, upsert_centres
from resolvers.tests.commands import UpsertModule, UpsertSubject, upsert_modules, upsert_subjects
from resolvers.viewer import Viewer


@dataclass(frozen=True)
class Around:
    """Objects that candidates are associated with."""

    centre: UUID
    other_centre: UUID
    subject: UUID
    department: UUID
    module: UUID


@pytest.fixture
async def around(make: Any, viewer: Viewer) -> Around:
    named = {"viewer": viewer, "name": "Name"}
    centre = UpsertCentre(reference="C1", time_zone="Europe/London", **named)
    other = UpsertCentre(reference="C2", time_zone="Europe/London", **named)
    return Around(
        centre=await make(upsert_centres, centre),
        other_centre=await make(upsert_centres, other),
        subject=await make(upsert_subjects, UpsertSubject(reference="S1", **named)),
        department=await make(upsert_departments, UpsertDepartment(**named)),
        module=await make(upsert_modules, UpsertModule(reference="M1", **named)),
    )


@pytest.fixture
def candidate(viewer: Viewer) -> Callable[..., UpsertCandidate]:
    """Return a command with the required fields of a candidate and the given ones."""

    def command(reference: str = "P1", **values: Any) -> UpsertCandidate:
        return UpsertCandidate(
            **{
                "viewer": viewer,
                "reference": reference,
                "first_names": "Ada",
                "last_name": "Byron",
                **values,
            }
        )

    return command
