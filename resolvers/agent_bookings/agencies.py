"""Finds the office and the agency of a submission (domain.md, section 8.1)."""

from collections.abc import Iterable
from uuid import UUID

from resolvers.agent_bookings.submission import Submission
from resolvers.bookings import loading
from resolvers.checks import can_be_kept
from resolvers.refusals import PermissionRefusal
from resolvers.storage.tables import AgentOffice, Centre
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import AccessScope, Permission

Asked = tuple[Viewer, Submission]


def agency_key(agency: str) -> str:
    """The key of an agency. Booking ids are unique within it."""
    return f"agency:{agency}"


def unknown_office_key(code: str) -> str:
    """An unknown office counts as an agency of its own."""
    return f"office:{code}"


@frozen
class Party:
    """The parties of a submission.

    `office` is the named office, None if it is unknown. `owner_id` is the office whose scope
    contains the booking. `agency_keys` are the possible keys of the agency, the current one first.
    """

    office: AgentOffice | None
    owner_id: UUID | None
    school: Centre | None
    agency_keys: tuple[str, ...]


class Agencies:
    """The offices and schools that a batch names, and the offices of its viewers."""

    def __init__(self, work: UnitOfWork, asked: Iterable[Asked]) -> None:
        pairs = list(asked)
        own = [
            (viewer.organization_id, key)
            for viewer, _ in pairs
            for key in viewer.scope.agent_offices or ()
        ]
        offices = ((v.organization_id, s.agent_office_code) for v, s in pairs)
        schools = ((v.organization_id, s.school_code) for v, s in pairs)
        self._own = {row.id: row for row in loading.of_keys(work, AgentOffice, "id", own)}
        self._offices = {
            (row.organization_id, row.code): row
            for row in loading.of_keys(work, AgentOffice, "code", _askable(offices))
        }
        self._schools = {
            (row.organization_id, row.reference): row
            for row in loading.of_keys(work, Centre, "reference", _askable(schools))
        }

    def party(self, viewer: Viewer, submission: Submission) -> Party:
        """Raises: PermissionRefusal (a school outside the scope; a viewer who sees nothing)."""
        code = submission.agent_office_code or ""
        office = self._office(viewer, code)
        school = self._schools.get((viewer.organization_id, submission.school_code or ""))
        owner = office or self._first_of(viewer)
        missing = viewer.scope.missing(
            centre_id=None if school is None else school.id,
            subject_id=None,
            candidate_id=viewer.scope.candidate,
            agent_office_id=None if owner is None else owner.id,
        )
        if missing is not None:
            path = ("school_code",) if missing is AccessScope.CENTRE else ()
            raise PermissionRefusal(*path, required=Permission.BOOK, missing_scope=missing)
        unknown = unknown_office_key(code)
        keys = (unknown,) if owner is None else (agency_key(owner.agency), unknown)
        return Party(office, None if owner is None else owner.id, school, keys)

    def permitted(self, viewer: Viewer, submission: Submission) -> Party | None:
        """As `party`; None if it is refused."""
        try:
            return self.party(viewer, submission)
        except PermissionRefusal:
            return None

    def _office(self, viewer: Viewer, code: str) -> AgentOffice | None:
        """The office with a code. For an agent, the offices of other agents do not exist.

        Other viewers may book for any office, even one that they may not see.
        """
        office = self._offices.get((viewer.organization_id, code))
        own = viewer.scope.agent_offices
        return None if office is not None and own is not None and office.id not in own else office

    def _first_of(self, viewer: Viewer) -> AgentOffice | None:
        """The office for which a viewer books that names an unknown office."""
        own = sorted(key for key in viewer.scope.agent_offices or () if key in self._own)
        return self._own[own[0]] if own else None


def _askable(names: Iterable[tuple[UUID, str | None]]) -> list[tuple[UUID, str]]:
    """Names that a database accepts as values. Other names are refused by validation."""
    return [(of, name) for of, name in names if name is not None and can_be_kept(name)]
