"""The relations between objects: each is a read that takes keys.

The rows of a read contain their key, so the number of statements of a query does not grow with its
rows.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from resolvers.agent_bookings.reads import (
    agent_booking_details,
    items_of_agent_bookings,
    products_by_code,
)
from resolvers.bookings.reads import (
    accommodations_by_id,
    accommodations_of_bookings,
    bookings_by_id,
    bookings_of_kind_by_id,
    payments_by_id,
    payments_of_bookings,
)
from resolvers.bookings.room_conflicts import (
    assembled_conflicts,
    crowded_rooms_of_bookings,
    crowded_rooms_of_events,
)
from resolvers.candidates.reads import (
    candidates_by_id,
    centres_of_candidates,
    departments_by_id,
    departments_of_candidates,
    duplicates_of_candidates,
    groups_of_candidates,
    modules_of_candidates,
    subjects_of_candidates,
)
from resolvers.centres.reads import (
    centres_by_id,
    rooms_by_id,
    rooms_of_centres,
    subjects_of_centres,
)
from resolvers.change_reads import changes_by_id
from resolvers.enrolments.reads import enrolment_details
from resolvers.events.reads import assembled_seats, events_by_id, modules_of_events, seats_of_events
from resolvers.external_ids import external_ids_of
from resolvers.notifications.reads import deliveries_by_id, endpoints_by_id
from resolvers.organizations.settings import organizations_by_id
from resolvers.organizations.users import (
    agent_offices_of_users,
    centres_of_users,
    subjects_of_users,
    users_by_id,
)
from resolvers.products.reads import (
    agent_offices_by_id,
    offers_by_id,
    offers_of_schools,
    products_by_id,
    products_of_schools,
)
from resolvers.registrations.reads import registration_details, transfers_of_registrations
from resolvers.storage.read import Read
from resolvers.test_schedules.reads import (
    schedule_details,
    schedules_by_keycode,
    windows_by_schedule,
    windows_of_schedules,
)
from resolvers.tests.reads import (
    centres_of_subjects,
    forms_of_tests,
    modules_by_id,
    modules_of_tests,
    subjects_by_id,
    test_forms_by_id,
    tests_by_id,
)
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import BookingKind, ProductKind

ReadKeys = Callable[[Viewer, Sequence[Any]], Read[Any]]


@frozen
class One:
    """A row for each key; None if there is none or the viewer may not see it."""

    read: ReadKeys
    key: str = "id"


@frozen
class Many:
    """The rows of each key, in the read's order."""

    read: ReadKeys
    key: str = "parent_id"


@frozen
class Assembled:
    """Values assembled from the rows of a read at an instant, by key; None for a key without a
    value.

    With `many`, each key has a list, which may be empty.
    """

    read: ReadKeys
    assemble: Callable[..., Mapping[Any, Any]]
    many: bool = False


Relation = One | Many | Assembled

RELATIONS: Final[Mapping[str, Relation]] = {
    "external_ids_of": Many(external_ids_of, key="object_id"),
    "organization_by_id": One(organizations_by_id),
    "user_by_id": One(users_by_id),
    "centres_of_user": Many(centres_of_users),
    "subjects_of_user": Many(subjects_of_users),
    "agent_offices_of_user": Many(agent_offices_of_users),
    "candidate_by_id": One(candidates_by_id),
    "department_by_id": One(departments_by_id),
    "departments_of_candidate": Many(departments_of_candidates),
    "centres_of_candidate": Many(centres_of_candidates),
    "subjects_of_candidate": Many(subjects_of_candidates),
    "modules_of_candidate": Many(modules_of_candidates),
    "duplicates_of_candidate": Many(duplicates_of_candidates),
    "groups_of_candidate": Many(groups_of_candidates, key="candidate_id"),
    "centre_by_id": One(centres_by_id),
    "room_by_id": One(rooms_by_id),
    "rooms_of_centre": Many(rooms_of_centres, key="centre_id"),
    "subjects_of_centre": Many(subjects_of_centres),
    "subject_by_id": One(subjects_by_id),
    "centres_of_subject": Many(centres_of_subjects),
    "module_by_id": One(modules_by_id),
    "test_by_id": One(tests_by_id),
    "modules_of_test": Many(modules_of_tests),
    "test_form_by_id": One(test_forms_by_id),
    "forms_of_test": Many(forms_of_tests, key="test_id"),
    "agent_office_by_id": One(agent_offices_by_id),
    "product_by_id": One(products_by_id),
    "product_offer_by_id": One(offers_by_id),
    "offers_of_school": Many(offers_of_schools, key="centre_id"),
    "products_of_school": Many(products_of_schools),
    "event_by_id": One(events_by_id),
    "modules_of_event": Many(modules_of_events),
    "seats_of_event": Assembled(seats_of_events, assembled_seats),
    "booking_by_id": One(bookings_by_id),
    "payment_of_booking": One(payments_of_bookings, key="booking_id"),
    "payment_by_id": One(payments_by_id),
    "accommodations_of_booking": Many(accommodations_of_bookings, key="booking_id"),
    "accommodation_by_id": One(accommodations_by_id),
    "room_conflicts_of_booking": Assembled(
        crowded_rooms_of_bookings, assembled_conflicts, many=True
    ),
    "room_conflicts_of_event": Assembled(crowded_rooms_of_events, assembled_conflicts, many=True),
    "enrolment_by_id": One(partial(bookings_of_kind_by_id, BookingKind.ENROLMENT)),
    "enrolment_of_booking": One(enrolment_details),
    "registration_by_id": One(partial(bookings_of_kind_by_id, BookingKind.REGISTRATION)),
    "registration_of_booking": One(registration_details),
    "transfers_of_registration": Many(transfers_of_registrations, key="booking_id"),
    "test_schedule_of_booking": One(schedule_details),
    "test_schedule_by_keycode": One(schedules_by_keycode, key="keycode"),
    "windows_of_booking": Assembled(windows_of_schedules, windows_by_schedule, many=True),
    "agent_booking_by_id": One(partial(bookings_of_kind_by_id, BookingKind.AGENT_BOOKING)),
    "agent_booking_of_booking": One(agent_booking_details),
    "courses_of_agent_booking": Many(
        partial(items_of_agent_bookings, ProductKind.COURSE), key="booking_id"
    ),
    "lodging_of_agent_booking": Many(
        partial(items_of_agent_bookings, ProductKind.LODGING), key="booking_id"
    ),
    "extras_of_agent_booking": Many(
        partial(items_of_agent_bookings, ProductKind.OPTIONAL_EXTRA), key="booking_id"
    ),
    "transfers_of_agent_booking": Many(
        partial(items_of_agent_bookings, ProductKind.AIRPORT_TRANSFER), key="booking_id"
    ),
    "course_by_code": One(partial(products_by_code, ProductKind.COURSE), key="code"),
    "lodging_by_code": One(partial(products_by_code, ProductKind.LODGING), key="code"),
    "extra_by_code": One(partial(products_by_code, ProductKind.OPTIONAL_EXTRA), key="code"),
    "airport_transfer_by_code": One(
        partial(products_by_code, ProductKind.AIRPORT_TRANSFER), key="code"
    ),
    "change_by_id": One(changes_by_id),
    "notification_endpoint_by_id": One(endpoints_by_id),
    "notification_delivery_by_id": One(deliveries_by_id),
}
"""Every relation by name."""
