"""The enums of the contract, with a description for each value.

They are the enums of `resolvers.vocabulary` themselves; importing this module adds them to the
schema.
"""

from enum import StrEnum

import strawberry

from resolvers import vocabulary


def _described(enum: type[StrEnum], description: str, **values: str) -> None:
    """Add an enum of the domain to the schema, with a description for every value."""
    strawberry.enum(enum, description=description)
    definition = enum.__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = values[value.name]
    assert len(values) == len(definition.values), enum


_described(
    vocabulary.SourceSystem,
    "The systems that the gateway stands in front of.",
    SURPASS_SCHEDULER="Surpass Scheduler: enrolments.",
    SURPASS_TEST_SCHEDULE="Surpass TestSchedule: exam windows.",
    SHIFT_IQ_V1="Shift iQ v1: events and registrations.",
    SHIFT_IQ_V2="Shift iQ v2: booking events.",
    EC_ENGLISH="EC English: agents' course bookings.",
    GATEWAY="The gateway itself.",
)
_described(
    vocabulary.BookingKind,
    "The kinds of booking.",
    ENROLMENT="A seat at an event.",
    TEST_SCHEDULE="An exam window.",
    REGISTRATION="A registration for an event.",
    AGENT_BOOKING="An agency's course booking.",
)
_described(
    vocabulary.BookingStatus,
    "The common status of every kind of booking; each kind has a finer one of its own.",
    PENDING="Made, and not certain yet: a payment or a validation is open. Takes a seat.",
    CONFIRMED="Certain. Takes a seat.",
    IN_PROGRESS="Being sat now. Takes a seat.",
    COMPLETED="Over, with its result.",
    NO_SHOW="The candidate did not come.",
    INVALID="Found impossible; may be submitted again.",
    CANCELLED="Called off.",
    EXPIRED="Lapsed, because it was not paid or not sat in time.",
    DELETED="Taken back before it began; only its record remains.",
    WAITLISTED="Waiting for a seat; takes none.",
)
_described(
    vocabulary.EnrolmentStatus,
    "Where an enrolment stands.",
    PENDING_PAYMENT="The seat is taken, and lapses unless it is paid by the due date.",
    BOOKED="The seat is the candidate's.",
    COMPLETED="A result was assigned.",
    ABSENT="The candidate did not come.",
    CANCELLED="Called off; the seat is free again.",
    EXPIRED="Not paid in time; the seat is free again.",
)
_described(
    vocabulary.RegistrationStatus,
    "Where a registration stands.",
    REGISTERED="The candidate is registered.",
    ATTENDED="The candidate came. Not reached yet.",
    ABSENT="The candidate did not come. Not reached yet.",
    CANCELLED="Called off.",
    DELETED="Taken back; only its record remains.",
    WAITLISTED="Waiting for a seat. Not reached yet.",
)
_described(
    vocabulary.TestScheduleStatus,
    "Where a test schedule stands.",
    SCHEDULED="Its window has not opened yet.",
    OPEN="Its window, buffer included, is open: the session can start.",
    IN_PROGRESS="The session has started.",
    COMPLETED="The session is over.",
    MARKED_EXTERNALLY="The session is over, and the test is marked elsewhere.",
    EXPIRED="Its window has closed, and the session never started.",
    VOIDED="Called off; its record and keycode are kept.",
    DELETED="Taken back before the session started; only its record remains.",
)
_described(
    vocabulary.SessionState,
    "What a delivery system reports of a session.",
    STARTED="The candidate has begun.",
    COMPLETED="The candidate is done.",
)
_described(
    vocabulary.AgentBookingStatus,
    "Where an agent booking's newest revision stands.",
    RECEIVED="It is well-formed; whether it is possible is looked at next.",
    VALIDATING="Whether it is possible is being looked at.",
    INVALID="It is not possible; validationMessages say why, and it may be submitted again.",
    CONFIRMED="It is in force.",
    CANCELLED="Called off.",
)
_described(
    vocabulary.SmokingPreference,
    "Whether there may be smoking in the homestay.",
    NON_SMOKING="No smoking.",
    SMOKING="Smoking.",
    NO_PREFERENCE="Either.",
)
_described(
    vocabulary.PetsPreference,
    "Whether there may be pets in the homestay.",
    NO_PETS="No pets.",
    PETS="Pets.",
    NO_PREFERENCE="Either.",
)
_described(
    vocabulary.ChildrenPreference,
    "Whether there may be children in the homestay.",
    NO_CHILDREN="No children.",
    CHILDREN="Children.",
    NO_PREFERENCE="Either.",
)
_described(
    vocabulary.ProductKind,
    "What a school sells.",
    COURSE="A course, by the week, from one of its start dates.",
    LODGING="Where a student lives, by the week.",
    OPTIONAL_EXTRA="Something more, by the piece.",
    AIRPORT_TRANSFER="A ride between the airport and the lodging.",
)
_described(
    vocabulary.OnNoMatch,
    "What becomes of a booking whose event is not found.",
    CREATE="The event is made.",
    REJECT="The booking is refused.",
)
_described(
    vocabulary.BookingAction,
    "What can be done with a booking.",
    MOVE="Move it to another time, room, centre or event.",
    TRANSFER="Transfer the registration to another event.",
    CANCEL="Cancel it; after the start also as absent.",
    DELETE="Take it back.",
    GRANT_ACCOMMODATION="Grant an exam accommodation.",
    REVOKE_ACCOMMODATION="Revoke one that was granted.",
    CHANGE_ASSESSMENT="Change the test form.",
    ASSIGN_RESULT="Assign or correct its result.",
    RESUBMIT="Submit it again with other content.",
)
_described(
    vocabulary.EnrolmentResult,
    "The result of an attempt.",
    PASS="Passed.",
    FAIL="Failed.",
)
_described(
    vocabulary.EnrolmentType,
    "Who chooses the time.",
    FIXED="The event has its time.",
    ON_DEMAND="The booking chose its time.",
)
_described(
    vocabulary.DeliveryMode,
    "Where the candidate sits.",
    IN_PERSON="In a room of a centre.",
    ONLINE="Online; no room.",
)
_described(
    vocabulary.CancellationReason,
    "Why a booking was cancelled.",
    ILLNESS="The candidate is ill.",
    BOOKED_IN_ERROR="It should not have been booked.",
    WITHDRAWN="The candidate withdrew.",
    ABSENT="The candidate did not come; only after the start.",
    PARTIALLY_COMPLETED="The test was not finished.",
    OTHER="Another reason; the message says which.",
    EVENT_CANCELLED="The event was cancelled.",
    PAYMENT_NOT_RECEIVED="It was not paid.",
)
_described(
    vocabulary.AccommodationScope,
    "What an exam accommodation lengthens.",
    TEST_TIME="The time of work.",
    BREAK_TIME="The breaks.",
    UNSCHEDULED_BREAK="Breaks at times that the candidate chooses.",
    OTHER="Nothing; another kind of help.",
)
_described(
    vocabulary.EventStatus,
    "Where an event stands.",
    DRAFT="Without a start; takes no bookings.",
    SCHEDULED="Takes bookings while its registration is open.",
    LOCKED="Registration is locked.",
    IN_PROGRESS="It has started.",
    COMPLETED="It is over.",
    CANCELLED="Called off.",
)
_described(
    vocabulary.EventKind,
    "What an event is.",
    EXAM="An exam.",
    CLASS="A class.",
    APPOINTMENT="An appointment.",
)
_described(
    vocabulary.DurationUnit,
    "A unit of time.",
    MINUTE="Minutes.",
    HOUR="Hours.",
    DAY="Days.",
    WEEK="Weeks.",
    MONTH="Months.",
    YEAR="Years.",
)
_described(
    vocabulary.SeatState,
    "How full an event is.",
    FREE="More than a tenth of the seats is free.",
    LIMITED="A tenth of the seats or less is free.",
    FULL="No seat is free.",
    CLOSED="Registration is not open.",
)
_described(
    vocabulary.PaymentStatus,
    "Where a payment stands.",
    NOT_REQUIRED="Nothing to pay.",
    PENDING="To be paid.",
    PAID="Paid.",
    FAILED="The attempt to pay failed; it may be tried again.",
    REFUNDED="Paid back.",
    WAIVED="Need not be paid after all.",
)
_described(
    vocabulary.PaymentMethod,
    "How it is paid.",
    CARD="By card.",
    INVOICE="On invoice.",
    PURCHASE_ORDER="On a purchase order.",
    VOUCHER="With a voucher.",
    CASH="In cash.",
    FREE="Free of charge.",
)
_described(
    vocabulary.PaymentResponsibility,
    "Who pays.",
    CANDIDATE="The candidate; the seat lapses unless it is paid in time.",
    CENTRE="The centre.",
    ORGANIZATION="The organization.",
    AGENT="The agent.",
)
_described(
    vocabulary.Gender,
    "Gender, as the source systems know it.",
    MALE="Male.",
    FEMALE="Female.",
)
_described(
    vocabulary.ConflictPolicy,
    "What happens when a candidate's bookings overlap.",
    REJECT="The booking is refused.",
    WARN="It is made, with a warning.",
    ALLOW="It is made.",
)
_described(
    vocabulary.RuleOverride,
    "A rule to set aside on purpose.",
    CAPACITY="The event's limits, never the room's; needs OVERRIDE_CAPACITY.",
    CANDIDATE_TIME_CONFLICT="The candidate's overlapping bookings; needs OVERRIDE_CONFLICT.",
    REGISTRATION_WINDOW="The times of registration; needs MANAGE_EVENTS.",
)
_described(
    vocabulary.BatchMode,
    "What becomes of a batch of which a part is refused.",
    ALL_OR_NOTHING="Nothing of it is done.",
    BEST_EFFORT="The rest of it is done.",
)
_described(
    vocabulary.ChangeType,
    "What happened to a booking.",
    CREATED="It was made.",
    UPDATED="Its event moved, or another value changed.",
    RESUBMITTED="It was submitted again.",
    CONFIRMED="It became certain.",
    INVALIDATED="It was found impossible.",
    MOVED="It was moved.",
    TRANSFERRED="It was transferred.",
    CANCELLED="It was cancelled, or the candidate was absent.",
    DELETED="It was taken back.",
    ACCOMMODATION_GRANTED="An accommodation was granted.",
    ACCOMMODATION_REVOKED="An accommodation was revoked.",
    ASSESSMENT_CHANGED="Its test form changed.",
    RESULT_ASSIGNED="A result was assigned or corrected.",
    PAYMENT_CHANGED="Its payment changed.",
    STARTED="Its session started.",
    COMPLETED="Its session was completed.",
    EXPIRED="It lapsed.",
)
_described(
    vocabulary.EventChangeType,
    "What happened to an event.",
    CREATED="It was made.",
    UPDATED="Some of its values changed.",
    CANCELLED="It was called off.",
)
_described(
    vocabulary.Role,
    "A set of permissions.",
    ADMIN="Everything in the organization.",
    SCHEDULER="Books and manages for its centres and subjects.",
    CENTRE_STAFF="Works at its centres.",
    INVIGILATOR="Invigilates at its centres.",
    MARKER="Marks its subjects.",
    AGENT="Books for its offices.",
    CANDIDATE="Sees and cancels its own bookings.",
)
_described(
    vocabulary.AccessScope,
    "What an association is with.",
    ORGANIZATION="The organization.",
    CENTRE="A centre.",
    SUBJECT="A subject.",
    AGENT_OFFICE="An agent office.",
    OWN="The viewer's own.",
)
_described(
    vocabulary.Permission,
    "What a viewer may do.",
    READ="Read.",
    BOOK="Book.",
    MOVE="Move bookings.",
    CANCEL="Cancel bookings.",
    DELETE="Delete bookings.",
    TRANSFER="Transfer registrations.",
    GRANT_ACCOMMODATION="Grant and revoke accommodations.",
    SCHEDULE_TEST="Schedule tests.",
    ASSIGN_RESULT="Assign results.",
    MANAGE_EVENTS="Make, change and cancel events; book outside of registration.",
    MANAGE_CENTRES="Make and change centres and rooms.",
    MANAGE_CANDIDATES="Make and change candidates and departments.",
    MANAGE_TESTS="Make and change tests, modules and subjects.",
    MANAGE_PRODUCTS="Make and change products, offers and agent offices.",
    MANAGE_USERS="Make and change users.",
    MANAGE_SETTINGS="Change the organization's settings.",
    MANAGE_NOTIFICATIONS="Register notifications.",
    RECORD_PAYMENT="Record payments.",
    RECORD_SESSION="Record exam sessions.",
    VIEW_PII="See personal data.",
    VIEW_SECRETS="See keycodes and PINs.",
    OVERRIDE_CAPACITY="Book beyond an event's capacity.",
    OVERRIDE_CONFLICT="Book in spite of overlapping bookings.",
)
_described(
    vocabulary.SortDirection,
    "The direction of a sort order.",
    ASC="Smallest first, nulls last.",
    DESC="Largest first, nulls first.",
)
_described(
    vocabulary.CountPrecision,
    "The precision of a count.",
    EXACT="The count is exact.",
    AT_LEAST="The count reached its limit; there are more than this.",
)
_described(
    vocabulary.EventSortField,
    "What events are sorted by.",
    START="Their start.",
    END="Their end.",
    NUMBER="Their number.",
    TITLE="Their title.",
    LAST_CHANGE_TIME="When they were last changed.",
)
_described(
    vocabulary.ExportFormat,
    "How a file of events is written.",
    CSV="Comma-separated values in UTF-8, as RFC 4180 has them, with a header.",
    JSON="An array of objects.",
    XLSX="An Excel workbook, with a header.",
    ICS="An iCalendar; events without a start are left out.",
)
_described(
    vocabulary.BookingSortField,
    "What bookings are sorted by.",
    START="Their start.",
    CREATED_AT="When they were made.",
    UPDATED_AT="When they were last changed.",
    REFERENCE="Their reference.",
)
_described(
    vocabulary.NotificationChannel,
    "How somebody is told.",
    HTTP_JSON="A message in JSON, posted to a URL.",
    HTTP_XML="A message in XML, posted to a URL.",
    HTML_EMAIL="An email for people.",
)
_described(
    vocabulary.NotificationTopic,
    "What somebody can be told of; in messages AGENT_BOOKING_INVALID is Booking:Invalid, "
    "EVENT_CHANGED Event:Changed, and so on.",
    AGENT_BOOKING_INVALID="An agent booking is not possible as it was submitted.",
    AGENT_BOOKING_SUCCESS="A revision of an agent booking was confirmed.",
    BOOKING_CREATED="A booking was made.",
    BOOKING_MOVED="A booking has another time or place.",
    BOOKING_TRANSFERRED="A registration is at another event.",
    BOOKING_CANCELLED="A booking was called off.",
    BOOKING_DELETED="A booking was taken back.",
    BOOKING_ACCOMMODATION_CHANGED="An exam accommodation was granted or revoked.",
    BOOKING_ASSESSMENT_CHANGED="A registration has another form.",
    BOOKING_RESULT_ASSIGNED="An enrolment has a result.",
    BOOKING_PAYMENT_CHANGED="A payment has another status.",
    EVENT_CREATED="An event was made.",
    EVENT_CHANGED="An event has other values.",
    EVENT_CANCELLED="An event was called off.",
)
_described(
    vocabulary.DeliveryStatus,
    "Where a message stands.",
    QUEUED="To be sent.",
    RETRYING="An attempt failed; it is tried again.",
    DELIVERED="It was accepted.",
    FAILED="It was given up; redeliver sends it again.",
)
_described(
    vocabulary.WarningCode,
    "What a warning is about.",
    AMBIGUOUS_TIME="The clock goes back, so the local time occurs twice. The first one is used.",
    BOOKING_ENDED="The booking ended before it was paid. A refund may be due.",
    BOOKINGS_KEEP_VALUES="Existing bookings keep earlier values of the test.",
    CANDIDATE_TIME_CONFLICT="The candidate has another booking at that time.",
    ENDS_AFTER_EVENT="With its extra time, the booking ends after the event.",
    EVENT_DIFFERS="The event that was found has another value for the field at `path`.",
    EVENT_FULL="The event or room has more bookings than seats, as `overrides` allows.",
    EVENT_INCOMPLETE="Neither the new nor the earlier event has a value for the field at `path`.",
    OUT_OF_RANGE="The capacity is lower than the seats taken, as `overrides` allows.",
    PAID_TWICE="The booking was already paid with another reference. Refund this payment.",
    PAYMENT_DUE_AT_START="The payment is due by the start of the event, before the given date.",
    REGISTRATION_CLOSED="Registration is closed, which `overrides` ignores.",
    ROOM_FULL="The room has more bookings than seats during the extra time.",
    WINDOW_IS_OVER="The window is already over, so the test schedule has expired.",
)
_described(
    vocabulary.ErrorCode,
    "What was refused.",
    REQUIRED="A value is missing.",
    STRING_LENGTH="A text is too short or too long.",
    INVALID_VALUE="A value cannot be used here.",
    CURSOR_EXPIRED="The changes right after a cursor are no longer kept. Read the current state.",
    INVALID_DATE="A date cannot be read.",
    INVALID_COUNTRY_CODE="No country of ISO 3166-1 alpha-2.",
    INVALID_EMAIL="No email address.",
    OUT_OF_RANGE="A number, a time or the size of a list is outside of its limits.",
    NOT_FOUND="There is no such object.",
    REGISTRATION_NOT_FOUND="There is no such registration.",
    LEARNER_NOT_FOUND="There is no such candidate.",
    VENUE_NOT_FOUND="There is no such centre.",
    ASSESSMENT_FORM_NOT_FOUND="There is no published form with this code.",
    EVENT_NOT_FOUND="There is no such event.",
    AMBIGUOUS_REFERENCE="The reference means several objects.",
    REGISTRATION_ALREADY_EXISTS="The registration's id is used.",
    REGISTRATION_HAS_NO_ASSESSMENT_FORM="The registration has no form.",
    LEARNER_DOES_NOT_BELONG_TO_REGISTRATION="The registration is another candidate's.",
    REGISTRATION_ALREADY_ASSIGNED_TO_EVENT="The registration is at this event.",
    ASSESSMENT_ALREADY_ASSIGNED="The registration has this form.",
    ACCOMMODATION_TYPE_EMPTY="An accommodation needs a type.",
    ACCOMMODATION_NOT_GRANTED="No accommodation of this type was granted.",
    EVENT_EXAM_TYPE_NOT_SPECIFIED="A new event needs an exam type.",
    INVALID_EVENT_EXAM_TYPE="Not one of the organization's exam types.",
    EVENT_EXAM_FORMAT_NOT_SPECIFIED="A new event needs an exam format.",
    INVALID_EVENT_EXAM_FORMAT="Not one of the organization's exam formats.",
    EVENT_BILLING_CODE_NOT_SPECIFIED="A new event needs a billing code.",
    INVALID_EVENT_BILLING_CODE="Not one of the organization's billing codes.",
    INVALID_EVENT_START_TIME="The start cannot be read.",
    INVIGILATION_REQUIRED_BY_TEST="The test requires invigilation.",
    MULTI_DAY_SCHEDULING_DISABLED="A window may not span several days.",
    PURCHASE_ORDER_REQUIRED="A purchase order is required.",
    ENFORCE_TIMES_REQUIRED="Whether to enforce times must be said.",
    OPEN_SCHEDULE_EXISTS="The candidate has an open schedule for this test.",
    CENTRE_SUBJECT_NOT_ASSOCIATED="The centre does not examine the subject.",
    CANDIDATE_NOT_ASSOCIATED="The candidate is not associated with the centre and the subject.",
    MARKER_NOT_ENABLED="The test has no markers.",
    MODERATOR_NOT_ENABLED="The test has no moderators.",
    RESIT_RESULT_REQUIRED="The earlier attempt needs a result first.",
    RESIT_AFTER_PASS_DISABLED="No resit after a pass.",
    RESIT_TOO_EARLY="Too soon after the earlier attempt.",
    ATTEMPTS_EXHAUSTED="No attempts left.",
    NOT_ELIGIBLE="The candidate is not eligible for this event.",
    ON_DEMAND_TIME_REQUIRED="An on-demand booking needs its time.",
    ON_DEMAND_TIME_NOT_ALLOWED="The event has its own time.",
    EVENT_FULL="Every seat at the event is taken.",
    ROOM_FULL="Every seat in the room is taken at that time.",
    REGISTRATION_CLOSED="The event does not accept bookings at this time.",
    CANCELLATION_CLOSED="It is too late to cancel.",
    ALREADY_EXISTS="The key is another object's.",
    DUPLICATE_BOOKING="The candidate already has a booking for this event.",
    CANDIDATE_TIME_CONFLICT="The candidate has another booking at that time.",
    PERSON_CODE_REQUIRED="The event needs a person code.",
    ILLEGAL_STATE="Not from the present state.",
    STALE_BOOKING="It was changed since it was read.",
    IDEMPOTENCY_KEY_REUSED="The key was used with other input.",
    REASON_REQUIRED="A reason is missing, or the message that the reason OTHER requires.",
    FORBIDDEN="Not by this viewer.",
)
