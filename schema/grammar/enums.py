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
    "The booking systems that the gateway unifies, and the gateway itself.",
    SURPASS_SCHEDULER="Surpass Scheduler, for enrolments: seats at test centres.",
    SURPASS_TEST_SCHEDULE="Surpass TestSchedule, for test schedules: exam windows.",
    SHIFT_IQ_V1="Shift iQ v1, for events and registrations.",
    SHIFT_IQ_V2="Shift iQ v2, for events that take registrations.",
    EC_ENGLISH="EC English, for agents' course bookings.",
    GATEWAY="The gateway itself.",
)
_described(
    vocabulary.BookingKind,
    "The four kinds of booking. Each is a type that implements Booking.",
    ENROLMENT="An Enrolment: a seat at an event.",
    TEST_SCHEDULE="A TestSchedule: one or more windows in which a candidate may take a test.",
    REGISTRATION="A Registration for an event.",
    AGENT_BOOKING="An AgentBooking: courses that an agency books for a student.",
)
_described(
    vocabulary.BookingStatus,
    "Status shared by all kinds of booking. Each kind also has a more detailed one, such "
    "as EnrolmentStatus.",
    PENDING="Booked but not confirmed: a payment or validation is outstanding. Holds a seat.",
    CONFIRMED="Booked and confirmed. Holds a seat.",
    IN_PROGRESS="The candidate is taking the test now. Holds a seat.",
    COMPLETED="Finished. An enrolment has its result.",
    NO_SHOW="The candidate did not attend.",
    INVALID="Rejected by validation. An agent booking can be corrected and submitted again.",
    CANCELLED="Cancelled. Its seat is free again.",
    EXPIRED="Ended automatically because it was not paid for or not used in time.",
    DELETED="Deleted before it started. Hidden from lists unless you filter for DELETED.",
    WAITLISTED="Waiting for a free seat. Holds no seat. Reserved for future use.",
)
_described(
    vocabulary.EnrolmentStatus,
    "Detailed status of an enrolment.",
    PENDING_PAYMENT="The seat is held until the payment's due date. If it is not paid by "
    "then, the enrolment expires.",
    BOOKED="The candidate has the seat.",
    COMPLETED="A result has been assigned.",
    ABSENT="The candidate did not attend the event.",
    CANCELLED="The enrolment was cancelled. Its seat is free again.",
    EXPIRED="The enrolment was not paid for in time. Its seat is free again.",
)
_described(
    vocabulary.RegistrationStatus,
    "Detailed status of a registration.",
    REGISTERED="The candidate is registered for the event.",
    ATTENDED="The candidate attended the event. Reserved for future use.",
    ABSENT="The candidate did not attend the event. Reserved for future use.",
    CANCELLED="The registration was cancelled.",
    DELETED="The registration was deleted. Only its record remains.",
    WAITLISTED="The registration is waiting for a free seat. Reserved for future use.",
)
_described(
    vocabulary.TestScheduleStatus,
    "Detailed status of a test schedule.",
    SCHEDULED="Its first window has not opened yet.",
    OPEN="A window is open, buffer time included: the candidate can start the session.",
    IN_PROGRESS="The session has started and has not ended.",
    COMPLETED="The candidate has finished the session.",
    MARKED_EXTERNALLY="The candidate has finished the session, and another system marks the test.",
    EXPIRED="The last window has closed, and the candidate never started a session.",
    VOIDED="The test schedule was cancelled. Its record and keycode remain.",
    DELETED="The test schedule was deleted before the session started. Only its record remains.",
)
_described(
    vocabulary.SessionState,
    "Progress of a session, as reported by the delivery system.",
    STARTED="The candidate has started the session.",
    COMPLETED="The candidate has finished the session.",
)
_described(
    vocabulary.AgentBookingStatus,
    "Status of the newest revision of an agent booking.",
    RECEIVED="The submission is well-formed and waits for validation.",
    VALIDATING="The submission is being validated now.",
    INVALID="Validation failed. `validationMessages` says why. Correct the booking and "
    "submit it again.",
    CONFIRMED="Validation succeeded, and the booking is in force.",
    CANCELLED="The agent booking was cancelled.",
)
_described(
    vocabulary.SmokingPreference,
    "Whether the student accepts smokers in the homestay.",
    NON_SMOKING="A homestay without smokers.",
    SMOKING="A homestay where smoking is allowed.",
    NO_PREFERENCE="The student has no preference about smoking.",
)
_described(
    vocabulary.PetsPreference,
    "Whether the student accepts pets in the homestay.",
    NO_PETS="A homestay without pets.",
    PETS="A homestay with pets.",
    NO_PREFERENCE="The student has no preference about pets.",
)
_described(
    vocabulary.ChildrenPreference,
    "Whether the student accepts children in the homestay.",
    NO_CHILDREN="A homestay without children.",
    CHILDREN="A homestay with children.",
    NO_PREFERENCE="The student has no preference about children.",
)
_described(
    vocabulary.ProductKind,
    "Kinds of product that a school sells to agencies.",
    COURSE="A course, sold by the week, beginning on one of its start dates.",
    LODGING="Accommodation for a student, sold by the week.",
    OPTIONAL_EXTRA="An additional item, such as an excursion or exam fee, sold by quantity.",
    AIRPORT_TRANSFER="Transport between an airport and the accommodation.",
)
_described(
    vocabulary.OnNoMatch,
    "What to do if the booking's event does not exist.",
    CREATE="Create the event, then book.",
    REJECT="Return an error, and book nothing.",
)
_described(
    vocabulary.BookingAction,
    "Actions on a booking. `Booking.allowedActions` lists those that you can take now.",
    MOVE="Move to another time, room, centre or event, with moveEnrolment or moveTestSchedule.",
    TRANSFER="Transfer the registration to another event, with transferRegistration.",
    CANCEL="Cancel the booking, with cancelBooking. After the start, use the reason ABSENT if the "
    "candidate did not attend.",
    DELETE="Delete the booking as if it had never been made. Only before it starts; its "
    "history stays readable by id. Use deleteRegistration or deleteTestSchedule.",
    GRANT_ACCOMMODATION="Grant an exam accommodation such as extra time, with grantAccommodation.",
    REVOKE_ACCOMMODATION="Revoke an exam accommodation, with revokeAccommodation.",
    CHANGE_ASSESSMENT="Assign another test form to the registration, with changeAssessment.",
    ASSIGN_RESULT="Assign or correct the result of the enrolment, with assignResults.",
    RESUBMIT="Submit the agent booking again with corrected content, with bookAgentBooking.",
)
_described(
    vocabulary.EnrolmentResult,
    "Result of an attempt at a test.",
    PASS="The candidate passed.",
    FAIL="The candidate failed.",
)
_described(
    vocabulary.EnrolmentType,
    "Whether the event or the booking determines the time.",
    FIXED="The event has a fixed time, which applies to all of its bookings.",
    ON_DEMAND="The booking has its own time within the event's period.",
)
_described(
    vocabulary.DeliveryMode,
    "Whether the candidate takes the test at a centre or online.",
    IN_PERSON="In a room of a test centre.",
    ONLINE="Online. Needs no room.",
)
_described(
    vocabulary.CancellationReason,
    "Why a booking was cancelled. Some reasons require a message or are set only by the gateway.",
    ILLNESS="The candidate is ill.",
    BOOKED_IN_ERROR="The booking was made by mistake.",
    WITHDRAWN="The candidate withdrew.",
    ABSENT="The candidate did not attend. Allowed only after the start.",
    PARTIALLY_COMPLETED="The candidate did not finish the test.",
    OTHER="Another reason. Requires a message.",
    EVENT_CANCELLED="The event was cancelled. Set by cancelEvent.",
    PAYMENT_NOT_RECEIVED="The payment was not received in time. Set when a booking expires.",
)
_described(
    vocabulary.AccommodationScope,
    "What an exam accommodation extends.",
    TEST_TIME="The working time of the test.",
    BREAK_TIME="The scheduled breaks.",
    UNSCHEDULED_BREAK="Breaks that the candidate takes when needed.",
    OTHER="Nothing: the accommodation is another kind of help, such as a reader.",
)
_described(
    vocabulary.EventStatus,
    "Status of an event.",
    DRAFT="The event has no start yet. It accepts no bookings.",
    SCHEDULED="The event has a start. It accepts bookings while registration is open.",
    LOCKED="Registration is locked. The event accepts no bookings until it is unlocked.",
    IN_PROGRESS="The event has started.",
    COMPLETED="The event has ended.",
    CANCELLED="The event was cancelled, with all of its bookings.",
)
_described(
    vocabulary.EventKind,
    "Kind of an event.",
    EXAM="An exam, where candidates take a test.",
    CLASS="A class, where candidates are taught.",
    APPOINTMENT="An appointment with one candidate or a few.",
)
_described(
    vocabulary.DurationUnit,
    "Unit of a duration.",
    MINUTE="Minutes, for durations within a day.",
    HOUR="Hours, for durations within a day.",
    DAY="Days of the calendar.",
    WEEK="Weeks of the calendar.",
    MONTH="Months of the calendar.",
    YEAR="Years of the calendar.",
)
_described(
    vocabulary.SeatState,
    "Availability of an event in one word, e.g. for a traffic light in a list.",
    FREE="More than 10 % of the seats are free.",
    LIMITED="At most 10 % of the seats are free.",
    FULL="No seat is free.",
    CLOSED="Registration is not open, so no seat can be booked.",
)
_described(
    vocabulary.PaymentStatus,
    "Status of a payment.",
    NOT_REQUIRED="There is nothing to pay.",
    PENDING="The payment is outstanding.",
    PAID="The payment was received.",
    FAILED="The last attempt to pay failed. The candidate may try again until the due date.",
    REFUNDED="The amount was paid back.",
    WAIVED="The organization has waived the payment.",
)
_described(
    vocabulary.PaymentMethod,
    "How a booking is paid for.",
    CARD="By credit or debit card.",
    INVOICE="Paid by invoice.",
    PURCHASE_ORDER="On a purchase order.",
    VOUCHER="With a voucher.",
    CASH="In cash at the centre.",
    FREE="Free of charge.",
)
_described(
    vocabulary.PaymentResponsibility,
    "Who pays for a booking.",
    CANDIDATE="The candidate pays. The booking expires if it is not paid by the due date.",
    CENTRE="The test centre pays.",
    ORGANIZATION="The organization pays.",
    AGENT="The agent pays.",
)
_described(
    vocabulary.Gender,
    "Gender of a candidate, with the values that the source systems use.",
    MALE="The candidate is male.",
    FEMALE="The candidate is female.",
)
_described(
    vocabulary.ConflictPolicy,
    "What the gateway does if two bookings of a candidate overlap.",
    REJECT="Returns the error CANDIDATE_TIME_CONFLICT, and books nothing.",
    WARN="Books, and returns the warning CANDIDATE_TIME_CONFLICT.",
    ALLOW="Books without a warning.",
)
_described(
    vocabulary.RuleOverride,
    "Rules that you can disable for one operation. Each one needs a permission, and "
    "returns a warning.",
    CAPACITY="Books although the event is full. The seats of the room remain a limit. "
    "Needs OVERRIDE_CAPACITY.",
    CANDIDATE_TIME_CONFLICT="Books although the candidate has another booking at that "
    "time. Needs OVERRIDE_CONFLICT.",
    REGISTRATION_WINDOW="Books although registration is not open. Needs MANAGE_EVENTS.",
)
_described(
    vocabulary.BatchMode,
    "What happens to a batch if one of its items has an error.",
    ALL_OR_NOTHING="Nothing is changed if any item has an error.",
    BEST_EFFORT="Items without errors are carried out; the others are returned in `errors`.",
)
_described(
    vocabulary.ChangeType,
    "What happened to a booking.",
    CREATED="The booking was created.",
    UPDATED="The booking's event was moved, or another field of the booking changed.",
    RESUBMITTED="The agent booking was submitted again.",
    CONFIRMED="The booking was confirmed.",
    INVALIDATED="Validation of the agent booking failed.",
    MOVED="The booking was moved to another time, room, centre or event.",
    TRANSFERRED="The registration was transferred to another event.",
    CANCELLED="The booking was cancelled, or the candidate was marked as absent.",
    DELETED="The booking was deleted.",
    ACCOMMODATION_GRANTED="An exam accommodation was granted.",
    ACCOMMODATION_REVOKED="An exam accommodation was revoked.",
    ASSESSMENT_CHANGED="The registration was given another test form.",
    RESULT_ASSIGNED="A result was assigned or corrected.",
    PAYMENT_CHANGED="The status of the payment changed.",
    STARTED="The candidate started the session.",
    COMPLETED="The candidate finished the session.",
    EXPIRED="The booking expired because it was not paid for or not used in time.",
)
_described(
    vocabulary.EventChangeType,
    "What happened to an event.",
    CREATED="The event was created.",
    UPDATED="Fields of the event changed.",
    CANCELLED="The event was cancelled.",
)
_described(
    vocabulary.Role,
    "Role of a user. It determines the user's permissions; associations with centres, "
    "subjects or offices determine what the user sees.",
    ADMIN="May do everything in the organization.",
    SCHEDULER="Books, and manages events and candidates, for the user's centres and subjects.",
    CENTRE_STAFF="Books, moves and cancels at the user's centres, and records sessions there.",
    INVIGILATOR="Records sessions at the user's centres, with keycodes and PINs.",
    MARKER="Assigns results for the user's subjects.",
    AGENT="Books courses for the user's agent offices.",
    CANDIDATE="Sees and cancels the user's own bookings.",
)
_described(
    vocabulary.AccessScope,
    "What a user must be associated with to see or change an object.",
    ORGANIZATION="Belonging to the organization.",
    CENTRE="An association with the centre.",
    SUBJECT="An association with the subject.",
    AGENT_OFFICE="An association with the agent office.",
    OWN="The object must belong to the user.",
)
_described(
    vocabulary.Permission,
    "Permissions that a role can include. `viewer.permissions` lists yours.",
    READ="Read the data of the organization, limited by the user's associations.",
    BOOK="Book enrolments, registrations and agent bookings.",
    MOVE="Move bookings to another time, room, centre or event.",
    CANCEL="Cancel bookings of any kind.",
    DELETE="Delete registrations and test schedules.",
    TRANSFER="Transfer registrations to another event.",
    GRANT_ACCOMMODATION="Grant and revoke exam accommodations.",
    SCHEDULE_TEST="Create and move test schedules.",
    ASSIGN_RESULT="Assign and correct results.",
    MANAGE_EVENTS="Create, change and cancel events, and book while registration is closed.",
    MANAGE_CENTRES="Create and change centres and rooms.",
    MANAGE_CANDIDATES="Create and change candidates and departments.",
    MANAGE_TESTS="Create and change tests, modules and subjects.",
    MANAGE_PRODUCTS="Create and change products, offers and agent offices.",
    MANAGE_USERS="Create and change users.",
    MANAGE_SETTINGS="Change the organization's settings.",
    MANAGE_NOTIFICATIONS="Register and change notification endpoints.",
    RECORD_PAYMENT="Record payments and refunds.",
    RECORD_SESSION="Record the start and end of exam sessions.",
    VIEW_PII="See personal data, such as email addresses and dates of birth.",
    VIEW_SECRETS="See keycodes and PINs of test schedules.",
    OVERRIDE_CAPACITY="Use the override CAPACITY, to book although the event is full.",
    OVERRIDE_CONFLICT="Use the override CANDIDATE_TIME_CONFLICT, to book although "
    "another booking overlaps.",
)
_described(
    vocabulary.SortDirection,
    "Direction of a sort order.",
    ASC="Ascending: smallest or earliest first, nulls last.",
    DESC="Descending: largest or latest first, nulls first.",
)
_described(
    vocabulary.CountPrecision,
    "Precision of a count.",
    EXACT="The count is exact.",
    AT_LEAST="Counting stopped at the limit; there are at least this many.",
)
_described(
    vocabulary.EventSortField,
    "Fields to sort events by.",
    START="Start of the event.",
    END="End of the event.",
    NUMBER="Number of the event.",
    TITLE="Title of the event. Case is ignored.",
    LAST_CHANGE_TIME="Time of the last change to the event.",
)
_described(
    vocabulary.ExportFormat,
    "File formats of an export.",
    CSV="Comma-separated values in UTF-8 with a header line (RFC 4180).",
    JSON="A JSON array with one object for each row.",
    XLSX="An Excel workbook with a header row.",
    ICS="An iCalendar file, for calendar applications. Omits events without a start.",
)
_described(
    vocabulary.BookingSortField,
    "Fields to sort bookings by.",
    START="Start of the booking.",
    CREATED_AT="Time when the booking was created.",
    UPDATED_AT="Time of the last change to the booking.",
    REFERENCE="Reference of the booking.",
)
_described(
    vocabulary.NotificationChannel,
    "How notifications are delivered.",
    HTTP_JSON="An HTTP POST to a URL, with JSON in the body.",
    HTTP_XML="An HTTP POST to a URL, with XML in the body.",
    HTML_EMAIL="An HTML email.",
)
_described(
    vocabulary.NotificationTopic,
    "Topics of notifications. In messages, EC English's names are used: "
    "AGENT_BOOKING_INVALID is `Booking:Invalid`, EVENT_CHANGED is `Event:Changed`.",
    AGENT_BOOKING_INVALID="Validation of an agent booking failed.",
    AGENT_BOOKING_SUCCESS="A revision of an agent booking was confirmed.",
    BOOKING_CREATED="A booking was created.",
    BOOKING_MOVED="A booking was moved to another time or place.",
    BOOKING_TRANSFERRED="A registration was transferred to another event.",
    BOOKING_CANCELLED="A booking was cancelled.",
    BOOKING_DELETED="A booking was deleted.",
    BOOKING_ACCOMMODATION_CHANGED="An exam accommodation was granted or revoked.",
    BOOKING_ASSESSMENT_CHANGED="A registration was given another test form.",
    BOOKING_RESULT_ASSIGNED="An enrolment received a result.",
    BOOKING_PAYMENT_CHANGED="The status of a payment changed.",
    EVENT_CREATED="An event was created.",
    EVENT_CHANGED="Fields of an event changed.",
    EVENT_CANCELLED="An event was cancelled.",
)
_described(
    vocabulary.DeliveryStatus,
    "Status of the delivery of a notification.",
    QUEUED="Waits to be sent for the first time.",
    RETRYING="An attempt failed. The gateway tries again later.",
    DELIVERED="The receiver accepted the message.",
    FAILED="All attempts failed. Call redeliver to send the message again.",
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
    "Why an operation was refused. Each code belongs to one type of error, which has "
    "typed fields for its facts.",
    REQUIRED="InputError. A required value is missing. Ask the user to fill in the field "
    "at `path`.",
    STRING_LENGTH="InputError. A text is too short or too long. `minLength` and "
    "`maxLength` give the limits.",
    INVALID_VALUE="InputError. The value is not allowed here. `allowedValues` lists the "
    "alternatives if there are few.",
    CURSOR_EXPIRED="InputError. The changes after this cursor are no longer stored. "
    "Query the current state, and continue with its `cursor`.",
    INVALID_DATE="InputError. The text is not a valid date.",
    INVALID_COUNTRY_CODE="InputError. The text is not an ISO 3166-1 alpha-2 country code.",
    INVALID_EMAIL="InputError. The text is not a valid email address.",
    OUT_OF_RANGE="InputError. A number, a time or the length of a list is outside its limits.",
    NOT_FOUND="NotFoundError. The object does not exist, or you may not see it.",
    REGISTRATION_NOT_FOUND="NotFoundError. The registration does not exist, or you may not see it.",
    LEARNER_NOT_FOUND="NotFoundError. The candidate (`learner` in Shift iQ) does not "
    "exist, or you may not see them.",
    VENUE_NOT_FOUND="NotFoundError. The centre (`venue` in Shift iQ) does not exist, or "
    "you may not see it.",
    ASSESSMENT_FORM_NOT_FOUND="NotFoundError. No published test form (`assessment form` "
    "in Shift iQ) has this code.",
    EVENT_NOT_FOUND="NotFoundError. The event does not exist, or you may not see it.",
    AMBIGUOUS_REFERENCE="InputError. The reference matches several objects. Use the id, "
    "or name the centre too.",
    REGISTRATION_ALREADY_EXISTS="ConflictError. A registration with this id already exists.",
    REGISTRATION_HAS_NO_ASSESSMENT_FORM="StateError. The registration has no test form "
    "(`assessment form` in Shift iQ) that could be "
    "changed.",
    LEARNER_DOES_NOT_BELONG_TO_REGISTRATION="InputError. The registration belongs to "
    "another candidate (`learner` in Shift iQ).",
    REGISTRATION_ALREADY_ASSIGNED_TO_EVENT="StateError. The registration is already at this event.",
    ASSESSMENT_ALREADY_ASSIGNED="StateError. The registration already has this test form "
    "(`assessment` in Shift iQ).",
    ACCOMMODATION_TYPE_EMPTY="InputError. The accommodation has no type.",
    ACCOMMODATION_NOT_GRANTED="NotFoundError. No accommodation of this type was granted "
    "to the booking.",
    EVENT_EXAM_TYPE_NOT_SPECIFIED="InputError. Creating the event requires an exam type.",
    INVALID_EVENT_EXAM_TYPE="InputError. The exam type is not one of the organization's "
    "exam types.",
    EVENT_EXAM_FORMAT_NOT_SPECIFIED="InputError. Creating the event requires an exam format.",
    INVALID_EVENT_EXAM_FORMAT="InputError. The exam format is not one of the "
    "organization's exam formats.",
    EVENT_BILLING_CODE_NOT_SPECIFIED="InputError. Creating the event requires a billing code.",
    INVALID_EVENT_BILLING_CODE="InputError. The billing code is not one of the "
    "organization's billing codes.",
    INVALID_EVENT_START_TIME="InputError. The start of the event is not a valid time.",
    INVIGILATION_REQUIRED_BY_TEST="PolicyError. The test must be invigilated.",
    MULTI_DAY_SCHEDULING_DISABLED="PolicyError. The organization does not allow windows "
    "of several days.",
    PURCHASE_ORDER_REQUIRED="PolicyError. The organization requires a purchase order.",
    ENFORCE_TIMES_REQUIRED="PolicyError. The organization requires a value for `enforceTimes`.",
    OPEN_SCHEDULE_EXISTS="ConflictError. The candidate already has an open test schedule "
    "for this test.",
    CENTRE_SUBJECT_NOT_ASSOCIATED="PolicyError. The centre does not offer the subject of the test.",
    CANDIDATE_NOT_ASSOCIATED="PolicyError. The candidate is not associated with the "
    "centre and the subject.",
    MARKER_NOT_ENABLED="PolicyError. The test does not allow markers.",
    MODERATOR_NOT_ENABLED="PolicyError. The test does not allow moderators.",
    RESIT_RESULT_REQUIRED="PolicyError. The previous attempt needs a result before the "
    "candidate can book a resit.",
    RESIT_AFTER_PASS_DISABLED="PolicyError. The test allows no resit after a pass.",
    RESIT_TOO_EARLY="PolicyError. The minimum time since the previous attempt has not "
    "passed. `deadline` is the earliest time.",
    ATTEMPTS_EXHAUSTED="PolicyError. The candidate has used all attempts at the test.",
    NOT_ELIGIBLE="PolicyError. The candidate does not meet the event's requirements.",
    ON_DEMAND_TIME_REQUIRED="InputError. A booking at an on-demand event must have its own time.",
    ON_DEMAND_TIME_NOT_ALLOWED="InputError. The event has a fixed time, so the booking "
    "must not have one.",
    EVENT_FULL="CapacityError. No seat is free at the event. Offer another event.",
    ROOM_FULL="CapacityError. No seat is free in the room at that time. Offer another "
    "room or time.",
    REGISTRATION_CLOSED="PolicyError. Registration for the event is not open. `deadline` "
    "tells when it opens or closed.",
    CANCELLATION_CLOSED="PolicyError. The deadline for cancellation has passed. "
    "`deadline` tells when.",
    ALREADY_EXISTS="ConflictError. An object with this key already exists. `conflicting` "
    "contains it if you may see it.",
    DUPLICATE_BOOKING="ConflictError. The candidate already has a booking for this event.",
    CANDIDATE_TIME_CONFLICT="ConflictError. The candidate has another booking at that "
    "time. `conflicting` contains it if you may see it.",
    PERSON_CODE_REQUIRED="PolicyError. The event requires a candidate with a person code "
    "(Shift iQ).",
    ILLEGAL_STATE="StateError. The current status does not allow this action. "
    "`allowedActions` lists the possible ones.",
    STALE_BOOKING="StateError. Somebody changed the booking after you read it. Reload "
    "it, show the difference, try again with `currentVersion`.",
    IDEMPOTENCY_KEY_REUSED="InputError. You sent this `idempotencyKey` before with "
    "different input. Use a new key for a new request.",
    REASON_REQUIRED="InputError. A reason is missing, or the message that the reason "
    "OTHER requires.",
    FORBIDDEN="PermissionError. You lack a permission or an association. `required` and "
    "`missingScope` say which.",
)
