"""The site settings of an organization."""

from collections.abc import Sequence
from dataclasses import field, fields
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers import checks
from resolvers.changes import Origin
from resolvers.organizations.locking import lock_organizations
from resolvers.outcomes import Outcome
from resolvers.permitted import requires
from resolvers.reading import ORGANIZATION
from resolvers.refusals import Refusal, Refused, ValidationErrors
from resolvers.storage.columns import one_of
from resolvers.storage.read import Read
from resolvers.storage.rows import changed
from resolvers.storage.tables import Organization, columns, table
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.texts import distinct
from resolvers.upserts import given
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import ConflictPolicy, Permission

NUMBERS = {
    "window_buffer_hours": (0, 168),
    "min_days_between_attempts": (0, 3_650),
    "cancel_cut_off_minutes": (0, 525_600),
    "payment_due_hours": (1, 8_760),
}
"""The minimum and maximum of each setting."""

WORDS = {"exam_types": checks.NAME, "exam_formats": checks.NAME, "billing_codes": checks.CODE}
"""The longest word of each list."""


@frozen(kw_only=True)
class UpdateSettings:
    """New settings. None keeps the current value; a list replaces the current list."""

    viewer: Viewer = field(repr=False)
    test_scheduling_over_multiple_days: bool | None = None
    purchase_order_number_for_scheduling: bool | None = None
    enforce_times_required: bool | None = None
    window_buffer_hours: int | None = None
    allow_resit_after_pass: bool | None = None
    min_days_between_attempts: int | None = None
    cancel_cut_off_minutes: int | None = None
    payment_due_hours: int | None = None
    conflict_policy: ConflictPolicy | None = None
    exam_types: tuple[str, ...] | None = None
    exam_formats: tuple[str, ...] | None = None
    billing_codes: tuple[str, ...] | None = None
    origin: Origin | None = None


@requires(Permission.MANAGE_SETTINGS)
def update_settings(
    work: UnitOfWork, commands: Sequence[UpdateSettings]
) -> list[Outcome | Refused]:
    """Change the settings of each viewer's organization; the outcome's subject is the organization.

    Refusals: PermissionRefusal, WrongLength, Invalid, OutOfRange.
    """
    refused = [_refusals(command) for command in commands]
    allowed = [c for c, refusals in zip(commands, refused, strict=True) if not refusals]
    before = lock_organizations(work, {c.viewer.organization_id for c in allowed})
    now = dict(before)
    outcomes: list[Outcome | Refused] = []
    for command, refusals in zip(commands, refused, strict=True):
        if refusals:
            outcomes.append(Refused(refusals))
            continue
        organization = now[command.viewer.organization_id]
        after = changed(organization, **_values(command))
        now[organization.id] = after
        outcomes.append(Outcome(organization.id, changed=after != organization))
    work.save(Organization, [(row, now[key]) for key, row in before.items()])
    return outcomes


def organizations_by_id(viewer: Viewer, keys: Sequence[UUID]) -> Read[Organization]:
    """The viewer's own organization, if it is among the keys."""
    c = columns(Organization)
    return Read(
        "organizations by id",
        lambda _: sa.select(table(Organization)).where(
            one_of(c.id, "keys"), c.id == sa.bindparam(ORGANIZATION, type_=c.id.type)
        ),
        {ORGANIZATION: viewer.organization_id, "keys": list(keys)},
        by_key=True,
    )


def _refusals(command: UpdateSettings) -> list[Refusal]:
    validation = ValidationErrors()
    for name, (least, most) in NUMBERS.items():
        validation.of(checks.number, getattr(command, name), name, least=least, most=most)
    for name, most in WORDS.items():
        validation.refusals += _check_words(getattr(command, name), name, most=most)
    return validation.refusals


def _check_words(words: Sequence[str] | None, *path: str, most: int) -> list[Refusal]:
    if words is None:
        return []
    return checks.violations(
        (checks.size, set(words), *path, {"most": checks.PLAIN_LIST}),
        *((checks.code, word, *path, str(n), {"most": most}) for n, word in enumerate(words)),
    )


NOT_SETTINGS = {"viewer", "origin"}


def _values(command: UpdateSettings) -> dict[str, Any]:
    values = given(
        **{f.name: getattr(command, f.name) for f in fields(command) if f.name not in NOT_SETTINGS}
    )
    return {
        name: distinct(value) if isinstance(value, tuple) else value
        for name, value in values.items()
    }
