"""What can be asked about registrations: the commands, as plain values."""

from dataclasses import field
from datetime import datetime
from uuid import UUID

from resolvers.bookings.accommodations import InitialAccommodation
from resolvers.changes import Origin
from resolvers.references import Ref
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import OnNoMatch, RuleOverride


@frozen(kw_only=True)
class LaxEvent:
    """An event by its centre and start; what it needs besides counts where it has to be made.

    `start` is the text as it came: ISO 8601 with an offset.
    """

    centre: UUID | None = None
    start: str | None = None
    exam_type: str | None = None
    exam_format: str | None = None
    billing_code: str | None = None
    on_no_match: OnNoMatch = OnNoMatch.CREATE


@frozen(kw_only=True)
class BookRegistration:
    """Register a candidate for an event that is named (`Ref`) or found by place and time.

    `happened`: an import brings it, so permissions and rules about now do not apply.
    """

    viewer: Viewer = field(repr=False)
    target: Ref | LaxEvent
    candidate: Ref
    registration: UUID | None = None
    test_form: str | None = None
    registrant_type: str | None = None
    accommodations: tuple[InitialAccommodation, ...] = ()
    overrides: tuple[RuleOverride, ...] = ()
    origin: Origin | None = None
    imported: bool = False


@frozen(kw_only=True)
class TransferRegistration:
    """Transfer a registration to another event; its test form is kept."""

    viewer: Viewer = field(repr=False)
    registration: Ref
    target: Ref | LaxEvent
    candidate: Ref
    reason: str
    overrides: tuple[RuleOverride, ...] = ()
    expected_version: int | None = None
    origin: Origin | None = None
    imported: bool = False


@frozen(kw_only=True)
class ChangeAssessment:
    """Assign another test form, by its code."""

    viewer: Viewer = field(repr=False)
    registration: Ref
    test_form: str
    expected_version: int | None = None
    origin: Origin | None = None
    imported: bool = False


@frozen(kw_only=True)
class DeleteRegistration:
    """Take a registration back; only its record remains."""

    viewer: Viewer = field(repr=False)
    registration: Ref
    origin: Origin | None = None
    imported: bool = False


@frozen(kw_only=True)
class RegistrationCriteria:
    """What a search finds registrations by `[002]`; what is None does not narrow it."""

    name: str | None = None
    email: str | None = None
    code: str | None = None
    last_change_time_since: datetime | None = None
    last_change_time_before: datetime | None = None
