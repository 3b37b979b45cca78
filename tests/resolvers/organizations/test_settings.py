"""Site settings: limits and permission."""

from dataclasses import replace
from uuid import uuid4

import pytest

from resolvers.organizations.settings import UpdateSettings, organizations_by_id, update_settings
from resolvers.outcomes import Outcome
from resolvers.viewer import PERMISSIONS
from resolvers.vocabulary import ConflictPolicy, Role


@pytest.mark.parametrize(
    ("values", "paths"),
    [
        ({"window_buffer_hours": -1}, ["window_buffer_hours"]),
        ({"window_buffer_hours": 169}, ["window_buffer_hours"]),
        ({"min_days_between_attempts": 3_651}, ["min_days_between_attempts"]),
        ({"cancel_cut_off_minutes": 525_601}, ["cancel_cut_off_minutes"]),
        ({"payment_due_hours": 0}, ["payment_due_hours"]),
        ({"payment_due_hours": 8_761}, ["payment_due_hours"]),
        ({"exam_types": ("", "x" * 201)}, ["exam_types.0", "exam_types.1"]),
        ({"exam_formats": ("\0",)}, ["exam_formats.0"]),
        ({"billing_codes": ("x" * 51,)}, ["billing_codes.0"]),
        ({"billing_codes": tuple(str(n) for n in range(501))}, ["billing_codes"]),
    ],
)
async def test_refused(viewer, refusals, values, paths):
    """Each setting has limits, and all errors are returned together."""
    found = await refusals(update_settings, UpdateSettings(viewer=viewer, **values))

    assert [path for _, path in found] == paths


async def test_permission(viewer, refusals):
    """Changing settings requires MANAGE_SETTINGS."""
    scheduler = replace(viewer, permissions=PERMISSIONS[Role.SCHEDULER])

    assert await refusals(update_settings, UpdateSettings(viewer=scheduler)) == [("FORBIDDEN", "")]


async def test_update(storage, viewer):
    """Given settings change, lists without duplicates; omitted settings stay."""
    key = viewer.organization_id
    [before] = await storage.read(organizations_by_id(viewer, [key]))
    command = UpdateSettings(
        viewer=viewer,
        allow_resit_after_pass=False,
        conflict_policy=ConflictPolicy.WARN,
        exam_types=("A", "B", "A"),
        cancel_cut_off_minutes=0,
    )

    outcomes = await storage.write(
        update_settings, [command, command, replace(command, payment_due_hours=48)]
    )

    assert outcomes == [Outcome(key), Outcome(key, changed=False), Outcome(key)]
    [row] = await storage.read(organizations_by_id(viewer, [key]))
    assert row == before._replace(
        allow_resit_after_pass=False,
        conflict_policy=ConflictPolicy.WARN,
        exam_types=["A", "B"],
        payment_due_hours=48,
    )


async def test_only_the_own_organization_is_read(storage, viewer):
    """Another organization's key returns nothing."""
    stranger = replace(viewer, organization_id=uuid4())

    assert await storage.read(organizations_by_id(stranger, [viewer.organization_id])) == []
