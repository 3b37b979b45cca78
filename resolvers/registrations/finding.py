"""Finds registrations, candidates and forms, with the refusals of `[002]` where there is none."""

from uuid import UUID

from resolvers.bookings.checks import find
from resolvers.bookings.preloaded import PreloadedBatch
from resolvers.references import Lookup, Ref, Unreadable, named
from resolvers.refusals import PermissionRefusal
from resolvers.registrations.forms import Form, Forms
from resolvers.registrations.refusals import LearnerNotFound, RegistrationNotFound
from resolvers.storage.tables import Booking, Candidate
from resolvers.viewer import Viewer
from resolvers.vocabulary import AccessScope, BookingKind, Permission


def registration(
    found: Lookup[Booking], locked: dict[UUID, Booking], viewer: Viewer, ref: Ref
) -> Booking:
    """A registration as it is once locked. Raises: RegistrationNotFound, also for no id at all."""
    path = ("registration",)
    if isinstance(ref, Unreadable):
        raise RegistrationNotFound(*path, object_type="Registration", identifier=named(ref))
    kind, missing = BookingKind.REGISTRATION, RegistrationNotFound
    return find(found, locked, viewer, ref, *path, kind=kind, missing=missing)


def candidate_of(preloaded: PreloadedBatch, viewer: Viewer, ref: Ref) -> Candidate:
    """Raises: LearnerNotFound, also for no id at all; AmbiguousReference."""
    path = ("candidate",)
    if isinstance(ref, Unreadable):
        raise LearnerNotFound(*path, object_type="Candidate", identifier=named(ref))
    return preloaded.candidate(viewer, ref, *path, missing=LearnerNotFound)


def form_of(forms: Forms, viewer: Viewer, code: str) -> Form:
    """Raises: AssessmentFormNotFound, PermissionRefusal (its subject is not the viewer's)."""
    form = forms.one(viewer.organization_id, code)
    subjects = viewer.scope.subjects
    if subjects is not None and form.subject_id is not None and form.subject_id not in subjects:
        raise PermissionRefusal(
            "test_form",
            required=Permission.BOOK,
            missing_scope=AccessScope.SUBJECT,
        )
    return form
