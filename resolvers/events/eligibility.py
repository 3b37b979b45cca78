"""The candidates who could book an event: eligible ones without a live booking.

The rule (8.4.6): the learner group of the event and, if eligibility is configured, one of its
modules. The list is empty for an event with neither.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.candidates.visible import visible_to
from resolvers.events.reads import modules_tied_to_events
from resolvers.reading import Tie, count_tied_to_each, first_tied_to_each, of_organization
from resolvers.storage.columns import one_of
from resolvers.storage.paging import PageRequest
from resolvers.storage.read import Read
from resolvers.storage.tables import (
    Booking,
    Candidate,
    CandidateGroup,
    CandidateModule,
    Event,
    columns,
    table,
)
from resolvers.storage.tables.bookings import TAKES_A_SEAT
from resolvers.viewer import Viewer

MODULES = "eligible_modules"


def eligible_candidates(
    viewer: Viewer, keys: Sequence[UUID], page: PageRequest, module_ids: Sequence[UUID] | None
) -> Read[Candidate]:
    """Return the page's candidates who could book each event, with its key as `parent_id`.

    Only candidates that the viewer may see. `module_ids` limits them to candidates with one of
    these of the event's modules, if eligibility is configured.
    """
    return first_tied_to_each(
        Candidate, _eligible(module_ids), viewer, keys, page, visible_to(viewer)
    )


def eligible_counts(
    viewer: Viewer, keys: Sequence[UUID], module_ids: Sequence[UUID] | None
) -> Read[Any]:
    """Count the candidates that `eligible_candidates` pages through: `parent_id` and `total`."""
    return count_tied_to_each(Candidate, _eligible(module_ids), viewer, keys, visible_to(viewer))


def _eligible(module_ids: Sequence[UUID] | None) -> Tie:
    """Select the eligible candidates of an event, from its group and its modules."""
    these = module_ids is not None

    def eligible(event_id: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        by_rule = sa.union_all(_by_modules(event_id, these=these), _by_group(event_id))
        return sa.and_(columns(Candidate).id.in_(by_rule), sa.not_(_booked(event_id)))

    return Tie(("eligible", these), eligible, {MODULES: list(module_ids or ())})


def _by_modules(event_id: sa.ColumnElement[Any], *, these: bool) -> sa.Select[Any]:
    """Select candidates with one of the event's modules who are in its group, if it has one."""
    e, m, g = columns(Event), columns(CandidateModule), columns(CandidateGroup)
    tied = modules_tied_to_events().subquery("tied")
    in_group = (
        sa.exists()
        .where(
            g.organization_id == e.organization_id,
            g.candidate_id == m.candidate_id,
            g.group_id == e.learner_registration_group_identifier,
        )
        .correlate_except(table(CandidateGroup))
    )
    return (
        sa.select(m.candidate_id)
        .select_from(table(Event))
        .join(tied, tied.c.event_id == e.id)
        .join(
            table(CandidateModule),
            sa.and_(m.organization_id == e.organization_id, m.module_id == tied.c.module_id),
        )
        .where(
            of_organization(Event),
            e.id == event_id,
            e.eligibility_configured,
            sa.or_(e.learner_registration_group_identifier.is_(None), in_group),
            one_of(m.module_id, MODULES) if these else sa.true(),
        )
        .correlate_except(table(Event), tied, table(CandidateModule))
    )


def _by_group(event_id: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Select candidates in the event's group, if no module is required."""
    e, g = columns(Event), columns(CandidateGroup)
    return (
        sa.select(g.candidate_id)
        .select_from(table(Event))
        .join(
            table(CandidateGroup),
            sa.and_(
                g.organization_id == e.organization_id,
                g.group_id == e.learner_registration_group_identifier,
            ),
        )
        .where(of_organization(Event), e.id == event_id, sa.not_(e.eligibility_configured))
        .correlate_except(table(Event), table(CandidateGroup))
    )


def _booked(event_id: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    c, b = columns(Candidate), columns(Booking)
    return (
        sa.exists()
        .where(
            b.organization_id == c.organization_id,
            b.candidate_id == c.id,
            b.event_id == event_id,
            sa.text(TAKES_A_SEAT),
        )
        .correlate_except(table(Booking))
    )
