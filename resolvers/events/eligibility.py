"""Who could book an event: candidates that pass its rule of eligibility and have no live booking.

The rule (8.4.6): the learner group of the event and, where eligibility is configured, one of its
modules. An event with neither lists nobody.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.candidates.visible import visible_to
from resolvers.events.reads import modules_tied_to_events
from resolvers.narrowing import Narrowing
from resolvers.reading import count_of, page_of
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

EVENT, GROUP, MODULES = "eligible_event", "eligible_group", "eligible_modules"


def eligible_candidates(
    viewer: Viewer, event: Event, page: PageRequest, module_ids: Sequence[UUID] | None = None
) -> Read[Candidate]:
    """A page of the candidates that could book the event, of those that the viewer may see.

    `module_ids` narrows to candidates with one of these of the event's modules; it counts only
    where eligibility is configured.
    """
    narrowed = visible_to(viewer) & _eligible(event, module_ids)
    return page_of(Candidate, viewer, page, **narrowed.options())


def eligible_count(
    viewer: Viewer, event: Event, module_ids: Sequence[UUID] | None = None
) -> Read[Any]:
    """How many candidates `eligible_candidates` pages through, as `total`."""
    narrowed = visible_to(viewer) & _eligible(event, module_ids)
    return count_of(Candidate, viewer, **narrowed.options())


def _eligible(event: Event, module_ids: Sequence[UUID] | None) -> Narrowing:
    group = event.learner_registration_group_identifier
    by_module = event.eligibility_configured
    if group is None and not by_module:
        return Narrowing("nobody is eligible", sa.false)
    these = by_module and module_ids is not None

    def narrow() -> sa.ColumnElement[bool]:
        rules = [sa.not_(_booked())]
        if group is not None:
            rules.append(_in_group())
        if by_module:
            rules.append(_has_module(these=these))
        return sa.and_(*rules)

    return Narrowing(
        ("eligible", group is not None, by_module, these),
        narrow,
        {EVENT: event.id, GROUP: group, MODULES: list(module_ids or ())},
    )


def _booked() -> sa.ColumnElement[bool]:
    c, b = columns(Candidate), columns(Booking)
    return (
        sa.exists()
        .where(
            b.organization_id == c.organization_id,
            b.candidate_id == c.id,
            b.event_id == sa.bindparam(EVENT, type_=b.event_id.type),
            sa.text(TAKES_A_SEAT),
        )
        .correlate(table(Candidate))
    )


def _in_group() -> sa.ColumnElement[bool]:
    c, g = columns(Candidate), columns(CandidateGroup)
    return (
        sa.exists()
        .where(
            g.organization_id == c.organization_id,
            g.candidate_id == c.id,
            g.group_id == sa.bindparam(GROUP, type_=g.group_id.type),
        )
        .correlate(table(Candidate))
    )


def _has_module(*, these: bool) -> sa.ColumnElement[bool]:
    c, m = columns(Candidate), columns(CandidateModule)
    tied = modules_tied_to_events().subquery("tied")
    of_event = sa.select(tied.c.module_id).where(
        tied.c.event_id == sa.bindparam(EVENT, type_=m.candidate_id.type)
    )
    return (
        sa.exists()
        .where(
            m.organization_id == c.organization_id,
            m.candidate_id == c.id,
            m.module_id.in_(of_event),
            one_of(m.module_id, MODULES) if these else sa.true(),
        )
        .correlate(table(Candidate))
    )
