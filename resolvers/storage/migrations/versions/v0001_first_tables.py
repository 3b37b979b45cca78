"""The first tables: organizations, who and what is examined, bookings, and the log of changes."""

import sqlalchemy as sa
from alembic import op

from resolvers.storage.migrations.words import (
    amount,
    big_number,
    check,
    choice,
    day,
    document,
    flag,
    fraction,
    index,
    instant,
    key,
    lower_case_statistics,
    number,
    of_organization,
    primary_key,
    refers_to,
    text,
    time_of_day,
    unique,
    wall_time,
)

revision = "0001"
down_revision = None

ACCOMMODATION_SCOPE = ("TEST_TIME", "BREAK_TIME", "UNSCHEDULED_BREAK", "OTHER")
AGENT_BOOKING_STATUS = ("RECEIVED", "VALIDATING", "INVALID", "CONFIRMED", "CANCELLED")
BOOKING_KIND = ("ENROLMENT", "TEST_SCHEDULE", "REGISTRATION", "AGENT_BOOKING")
BOOKING_STATUS = (
    "PENDING",
    "CONFIRMED",
    "IN_PROGRESS",
    "COMPLETED",
    "NO_SHOW",
    "INVALID",
    "CANCELLED",
    "EXPIRED",
    "DELETED",
    "WAITLISTED",
)
CANCELLATION_REASON = (
    "ILLNESS",
    "BOOKED_IN_ERROR",
    "WITHDRAWN",
    "ABSENT",
    "PARTIALLY_COMPLETED",
    "OTHER",
    "EVENT_CANCELLED",
    "PAYMENT_NOT_RECEIVED",
)
CHANGE_TYPE = (
    "CREATED",
    "UPDATED",
    "RESUBMITTED",
    "CONFIRMED",
    "INVALIDATED",
    "MOVED",
    "TRANSFERRED",
    "CANCELLED",
    "DELETED",
    "ACCOMMODATION_GRANTED",
    "ACCOMMODATION_REVOKED",
    "ASSESSMENT_CHANGED",
    "RESULT_ASSIGNED",
    "PAYMENT_CHANGED",
    "STARTED",
    "COMPLETED",
    "EXPIRED",
)
CONFLICT_POLICY = ("REJECT", "WARN", "ALLOW")
DELIVERY_MODE = ("IN_PERSON", "ONLINE")
DELIVERY_STATUS = ("QUEUED", "RETRYING", "DELIVERED", "FAILED")
DURATION_UNIT = ("MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "YEAR")
ENROLMENT_RESULT = ("PASS", "FAIL")
EVENT_CHANGE_TYPE = ("CREATED", "UPDATED", "CANCELLED")
EVENT_KIND = ("EXAM", "CLASS", "APPOINTMENT")
GENDER = ("MALE", "FEMALE")
NOTIFICATION_CHANNEL = ("HTTP_JSON", "HTTP_XML", "HTML_EMAIL")
NOTIFICATION_TOPIC = (
    "AGENT_BOOKING_INVALID",
    "AGENT_BOOKING_SUCCESS",
    "BOOKING_CREATED",
    "BOOKING_MOVED",
    "BOOKING_TRANSFERRED",
    "BOOKING_CANCELLED",
    "BOOKING_DELETED",
    "BOOKING_ACCOMMODATION_CHANGED",
    "BOOKING_ASSESSMENT_CHANGED",
    "BOOKING_RESULT_ASSIGNED",
    "BOOKING_PAYMENT_CHANGED",
    "EVENT_CREATED",
    "EVENT_CHANGED",
    "EVENT_CANCELLED",
)
PAYMENT_METHOD = ("CARD", "INVOICE", "PURCHASE_ORDER", "VOUCHER", "CASH", "FREE")
PAYMENT_RESPONSIBILITY = ("CANDIDATE", "CENTRE", "ORGANIZATION", "AGENT")
PAYMENT_STATUS = ("NOT_REQUIRED", "PENDING", "PAID", "FAILED", "REFUNDED", "WAIVED")
PRODUCT_KIND = ("COURSE", "LODGING", "OPTIONAL_EXTRA", "AIRPORT_TRANSFER")
ROLE = ("ADMIN", "SCHEDULER", "CENTRE_STAFF", "INVIGILATOR", "MARKER", "AGENT", "CANDIDATE")
SOURCE_SYSTEM = (
    "SURPASS_SCHEDULER",
    "SURPASS_TEST_SCHEDULE",
    "SHIFT_IQ_V1",
    "SHIFT_IQ_V2",
    "EC_ENGLISH",
    "GATEWAY",
)


def upgrade() -> None:
    """Make every table; one that is referred to comes before the one that refers to it."""
    _organization()
    _candidate()
    _centre()
    _change_log()
    _department()
    _external_id()
    _idempotency_key()
    _import_receipt()
    _log_position()
    _module()
    _number_series()
    _subject()
    _agent_office()
    _app_user()
    _candidate_centre()
    _candidate_department()
    _candidate_group()
    _candidate_module()
    _candidate_subject()
    _centre_subject()
    _room()
    _test()
    _event()
    _test_form()
    _test_module()
    _product()
    _product_offer()
    _offer_start_date()
    _user_agent_office()
    _user_centre()
    _user_subject()
    _booking()
    _event_module()
    _event_version()
    _accommodation()
    _enrolment()
    _payment()
    _registration()
    _registration_transfer()
    _session_pin()
    _test_schedule()

    _agent_booking()
    _agent_booking_item()
    _agent_booking_revision()
    _offer_place()
    _notification_endpoint()
    _notification_delivery()


def _organization() -> None:
    op.create_table(
        "organization",
        key("id"),
        text("name", 200),
        text("time_zone", 64),
        text("currency", 3),
        flag("test_scheduling_over_multiple_days"),
        flag("purchase_order_number_for_scheduling"),
        flag("enforce_times_required"),
        number("window_buffer_hours"),
        flag("allow_resit_after_pass"),
        number("min_days_between_attempts"),
        number("cancel_cut_off_minutes"),
        number("payment_due_hours"),
        choice("conflict_policy", CONFLICT_POLICY),
        document("exam_types"),
        document("exam_formats"),
        document("billing_codes"),
        instant("created_at"),
        primary_key("id"),
        unique("name"),
        check("cancel_cut_off_minutes", "cancel_cut_off_minutes between 0 and 525600"),
        check("min_days_between_attempts", "min_days_between_attempts between 0 and 3650"),
        check("payment_due_hours", "payment_due_hours between 1 and 8760"),
        check("window_buffer_hours", "window_buffer_hours between 0 and 168"),
    )


def _candidate() -> None:
    op.create_table(
        "candidate",
        key("organization_id"),
        key("id"),
        text("reference", 50),
        flag("reference_generated"),
        text("first_names", 200),
        text("last_name", 200),
        text("search_text", 500),
        text("email", 254, null=True),
        text("telephone", 50, null=True),
        text("mobile", 50, null=True),
        day("date_of_birth", null=True),
        choice("gender", GENDER, null=True),
        text("passport_number", 50, null=True),
        text("passport_issuing_country", 2, null=True),
        text("country_of_birth", 2, null=True),
        text("nationality", 2, null=True),
        document("address", null=True),
        document("emergency_contact", null=True),
        text("image_url", 2000, null=True),
        primary_key("organization_id", "id"),
        of_organization(),
        unique("organization_id", "reference"),
    )
    index(
        "ix_candidate_born",
        "candidate",
        "organization_id",
        "date_of_birth",
        where="date_of_birth is not null",
    )
    index("ix_candidate_name", "candidate", "organization_id", "last_name", "first_names", "id")
    index(
        "ix_candidate_passport",
        "candidate",
        "organization_id",
        "passport_number",
        where="passport_number is not null",
    )
    index("ix_candidate_search", "candidate", "organization_id", "search_text", "id")


def _centre() -> None:
    op.create_table(
        "centre",
        key("organization_id"),
        key("id"),
        text("reference", 50),
        text("name", 200),
        text("search_text", 500),
        text("time_zone", 64),
        text("city", 200, null=True),
        text("country", 2, null=True),
        document("address", null=True),
        flag("is_school"),
        number("minimum_age", null=True),
        primary_key("organization_id", "id"),
        of_organization(),
        unique("organization_id", "reference"),
        check("minimum_age", "minimum_age between 0 and 150"),
    )
    index("ix_centre_name", "centre", "organization_id", "name", "id")


def _change_log() -> None:
    op.create_table(
        "change_log",
        key("organization_id"),
        big_number("position"),
        key("id"),
        instant("at"),
        key("actor_user_id", null=True),
        text("actor_name", 200),
        text("actor_proxy", 200, null=True),
        text("reason", 500, null=True),
        document("origin", null=True),
        document("overrides", null=True),
        document("changed_fields"),
        document("before", null=True),
        document("after", null=True),
        number("version"),
        choice("event_type", EVENT_CHANGE_TYPE, null=True),
        key("event_id", null=True),
        key("room_id", null=True),
        choice("booking_type", CHANGE_TYPE, null=True),
        key("booking_id", null=True),
        choice("kind", BOOKING_KIND, null=True),
        text("reference", 50, null=True),
        key("candidate_id", null=True),
        instant("created_at", null=True),
        choice("status", BOOKING_STATUS, null=True),
        key("centre_id", null=True),
        key("test_id", null=True),
        key("subject_id", null=True),
        key("agent_office_id", null=True),
        instant("start_at", null=True),
        instant("updated_at", null=True),
        number("accommodation_count", null=True),
        choice("was_status", BOOKING_STATUS, null=True),
        key("was_centre_id", null=True),
        key("was_room_id", null=True),
        key("was_event_id", null=True),
        key("was_test_id", null=True),
        key("was_subject_id", null=True),
        key("was_agent_office_id", null=True),
        instant("was_start_at", null=True),
        instant("was_updated_at", null=True),
        number("was_accommodation_count", null=True),
        primary_key("organization_id", "position"),
        of_organization(),
        unique("organization_id", "id"),
        check("one_subject", "(booking_id is null) <> (event_type is null)"),
    )
    index(
        "ix_change_log_booking",
        "change_log",
        "organization_id",
        "booking_id",
        "position",
        where="booking_id is not null",
    )
    index(
        "ix_change_log_event",
        "change_log",
        "organization_id",
        "position",
        where="event_type is not null",
    )


def _department() -> None:
    op.create_table(
        "department",
        key("organization_id"),
        key("id"),
        text("name", 200),
        primary_key("organization_id", "id"),
        of_organization(),
        unique("organization_id", "name"),
    )


def _external_id() -> None:
    op.create_table(
        "external_id",
        key("organization_id"),
        choice("system", SOURCE_SYSTEM),
        text("kind", 50),
        text("value", 200),
        text("object_type", 50),
        key("object_id"),
        primary_key("organization_id", "system", "kind", "value"),
        of_organization(),
    )
    index("ix_external_id_object", "external_id", "organization_id", "object_id")


def _idempotency_key() -> None:
    op.create_table(
        "idempotency_key",
        key("organization_id"),
        text("viewer", 250),
        text("idempotency_key", 255),
        text("fingerprint", 64),
        key("claim"),
        document("answer", null=True),
        instant("created_at"),
        primary_key("organization_id", "viewer", "idempotency_key"),
        of_organization(),
    )


def _import_receipt() -> None:
    op.create_table(
        "import_receipt",
        key("organization_id"),
        text("format", 50),
        text("content_hash", 64),
        instant("imported_at"),
        primary_key("organization_id", "format", "content_hash"),
        of_organization(),
    )


def _log_position() -> None:
    op.create_table(
        "log_position",
        key("organization_id"),
        big_number("position"),
        flag("notifies"),
        primary_key("organization_id"),
        of_organization(),
    )


def _module() -> None:
    op.create_table(
        "module",
        key("organization_id"),
        key("id"),
        text("reference", 50),
        text("name", 200),
        primary_key("organization_id", "id"),
        of_organization(),
        unique("organization_id", "reference"),
    )


def _number_series() -> None:
    op.create_table(
        "number_series",
        key("organization_id"),
        text("name", 50),
        number("next"),
        primary_key("organization_id", "name"),
        of_organization(),
    )


def _subject() -> None:
    op.create_table(
        "subject",
        key("organization_id"),
        key("id"),
        text("reference", 50),
        text("name", 200),
        text("search_text", 500),
        primary_key("organization_id", "id"),
        of_organization(),
        unique("organization_id", "reference"),
    )
    index("ix_subject_name", "subject", "organization_id", "name", "id")


def _app_user() -> None:
    op.create_table(
        "app_user",
        key("organization_id"),
        key("id"),
        text("reference", 50),
        text("name", 200),
        text("email", 254, null=True),
        choice("role", ROLE),
        flag("active"),
        flag("may_mark"),
        flag("may_moderate"),
        key("candidate_id", null=True),
        primary_key("organization_id", "id"),
        of_organization(),
        refers_to("candidate", "candidate_id"),
        unique("organization_id", "reference"),
    )


def _candidate_centre() -> None:
    op.create_table(
        "candidate_centre",
        key("organization_id"),
        key("candidate_id"),
        key("centre_id"),
        primary_key("organization_id", "candidate_id", "centre_id"),
        refers_to("candidate", "candidate_id"),
        refers_to("centre", "centre_id"),
    )
    index("ix_candidate_centre_centre", "candidate_centre", "organization_id", "centre_id")


def _candidate_department() -> None:
    op.create_table(
        "candidate_department",
        key("organization_id"),
        key("candidate_id"),
        key("department_id"),
        primary_key("organization_id", "candidate_id", "department_id"),
        refers_to("candidate", "candidate_id"),
        refers_to("department", "department_id"),
    )


def _candidate_group() -> None:
    op.create_table(
        "candidate_group",
        key("organization_id"),
        key("candidate_id"),
        key("group_id"),
        primary_key("organization_id", "candidate_id", "group_id"),
        refers_to("candidate", "candidate_id"),
    )
    index("ix_candidate_group_group", "candidate_group", "organization_id", "group_id")


def _candidate_module() -> None:
    op.create_table(
        "candidate_module",
        key("organization_id"),
        key("candidate_id"),
        key("module_id"),
        primary_key("organization_id", "candidate_id", "module_id"),
        refers_to("candidate", "candidate_id"),
        refers_to("module", "module_id"),
    )
    index("ix_candidate_module_module", "candidate_module", "organization_id", "module_id")


def _candidate_subject() -> None:
    op.create_table(
        "candidate_subject",
        key("organization_id"),
        key("candidate_id"),
        key("subject_id"),
        primary_key("organization_id", "candidate_id", "subject_id"),
        refers_to("candidate", "candidate_id"),
        refers_to("subject", "subject_id"),
    )
    index("ix_candidate_subject_subject", "candidate_subject", "organization_id", "subject_id")


def _centre_subject() -> None:
    op.create_table(
        "centre_subject",
        key("organization_id"),
        key("centre_id"),
        key("subject_id"),
        primary_key("organization_id", "centre_id", "subject_id"),
        refers_to("centre", "centre_id"),
        refers_to("subject", "subject_id"),
    )
    index("ix_centre_subject_subject", "centre_subject", "organization_id", "subject_id")


def _room() -> None:
    op.create_table(
        "room",
        key("organization_id"),
        key("id"),
        key("centre_id"),
        text("name", 200),
        number("capacity"),
        primary_key("organization_id", "id"),
        refers_to("centre", "centre_id"),
        unique("organization_id", "centre_id", "name"),
        check("capacity", "capacity between 1 and 100000"),
    )


def _test() -> None:
    op.create_table(
        "test",
        key("organization_id"),
        key("id"),
        text("reference", 50),
        text("name", 200),
        text("search_text", 500),
        key("subject_id", null=True),
        number("duration_minutes"),
        number("break_minutes"),
        flag("requires_invigilation"),
        number("max_attempts", null=True),
        text("default_language", 35),
        document("languages"),
        flag("allows_markers"),
        flag("allows_moderators"),
        primary_key("organization_id", "id"),
        of_organization(),
        refers_to("subject", "subject_id"),
        check("break_minutes", "break_minutes between 0 and 100000"),
        check("duration_minutes", "duration_minutes between 1 and 100000"),
        check("max_attempts", "max_attempts >= 1"),
    )
    index("ix_test_name", "test", "organization_id", "name", "id")
    index("ix_test_reference", "test", "organization_id", "reference")
    index(
        "uq_test_reference",
        "test",
        "organization_id",
        "reference",
        where="subject_id is null",
        unique=True,
    )
    index(
        "uq_test_reference_in_subject",
        "test",
        "organization_id",
        "subject_id",
        "reference",
        where="subject_id is not null",
        unique=True,
    )


def _event_columns() -> "list[sa.Column[object]]":
    return [
        key("organization_id"),
        key("id"),
        key("identifier"),
        number("number", null=True),
        choice("kind", EVENT_KIND),
        text("event_type", 4000, null=True),
        text("title", 200),
        text("summary", 4000, null=True),
        text("description", 20000, null=True),
        text("content", 20000, null=True),
        text("class_code", 4000, null=True),
        text("calendar_color", 4000, null=True),
        text("appointment_type", 4000, null=True),
        text("source", 4000, null=True),
        fraction("credit_hours", null=True),
        key("venue_id", null=True),
        key("room_id", null=True),
        text("venue_room", 4000, null=True),
        key("venue_office_identifier", null=True),
        key("venue_coordinator_identifier", null=True),
        key("achievement_identifier", null=True),
        key("learner_registration_group_identifier", null=True),
        key("mandatory_survey_form_identifier", null=True),
        key("test_id", null=True),
        flag("on_demand"),
        text("time_zone", 64),
        instant("start_at", null=True),
        wall_time("local_start", null=True),
        instant("end_at", null=True),
        instant("given_end_at", null=True),
        number("duration_minutes", null=True),
        number("duration_quantity", null=True),
        choice("duration_unit", DURATION_UNIT, null=True),
        text("duration_unit_text", 4000, null=True),
        number("exam_duration_in_minutes", null=True),
        text("exam_type", 4000, null=True),
        text("exam_format", 4000, null=True),
        instant("exam_started", null=True),
        text("exam_score_warnings", 4000, null=True),
        text("billing_code", 4000, null=True),
        text("billing_type", 4000, null=True),
        flag("billing_code_enabled"),
        number("capacity_minimum", null=True),
        number("capacity_maximum", null=True),
        number("invigilator_minimum", null=True),
        flag("waitlist_enabled"),
        flag("allow_multiple_registrations"),
        flag("allow_registration_with_link"),
        flag("person_code_is_required"),
        text("registration_fields", 4000, null=True),
        instant("registration_start", null=True),
        instant("registration_deadline", null=True),
        instant("registration_locked", null=True),
        flag("eligibility_configured"),
        text("publication_status", 4000, null=True),
        text("publication_errors", 4000, null=True),
        text("requisition_status", 4000, null=True),
        text("scheduling_status", 4000, null=True),
        flag("integration_withhold_distribution"),
        flag("integration_withhold_grades"),
        text("distribution_code", 4000, null=True),
        text("distribution_process", 4000, null=True),
        text("distribution_status", 4000, null=True),
        text("distribution_errors", 4000, null=True),
        instant("distribution_ordered", null=True),
        instant("distribution_expected", null=True),
        instant("distribution_shipped", null=True),
        instant("distribution_tracked", null=True),
        text("return_shipment_code", 4000, null=True),
        text("return_shipment_condition", 4000, null=True),
        instant("return_shipment_received", null=True),
        instant("last_change_time"),
        text("last_change_type", 200, null=True),
        text("last_change_user", 200, null=True),
        flag("created_automatically"),
        text("sitting_key", 64, null=True),
        choice("cancel_reason", CANCELLATION_REASON, null=True),
        text("cancel_message", 500, null=True),
        instant("cancelled_at", null=True),
        key("cancelled_by_user_id", null=True),
        text("cancelled_by_name", 200, null=True),
        flag("cancelled_on_behalf"),
        number("version"),
    ]


def _event() -> None:
    op.create_table(
        "event",
        *_event_columns(),
        primary_key("organization_id", "id"),
        of_organization(),
        refers_to("centre", "venue_id"),
        refers_to("room", "room_id"),
        refers_to("test", "test_id"),
        unique("organization_id", "identifier"),
        unique("organization_id", "sitting_key"),
        check("capacity_maximum", "capacity_maximum between 1 and 100000"),
        check("capacity_minimum", "capacity_minimum between 1 and 100000"),
        check("ends_after_start", "end_at >= start_at"),
        check("exam_duration_in_minutes", "exam_duration_in_minutes between 1 and 100000"),
        check("on_demand_has_no_start", "not on_demand or (start_at is null and end_at is null)"),
        check("version", "version >= 1"),
    )
    start, end = (f"coalesce({at}, '9999-12-31T23:59:59.999998Z')" for at in ("start_at", "end_at"))
    by_number = "coalesce(number, 9223372036854775807)"
    index(
        "ix_event_class_code",
        "event",
        "organization_id",
        "class_code",
        where="class_code is not null",
    )
    index("ix_event_end", "event", "organization_id", end, "id")
    index("ix_event_last_change_time", "event", "organization_id", "last_change_time", "id")
    index("ix_event_number", "event", "organization_id", by_number, "id")
    index("ix_event_room", "event", "organization_id", "room_id")
    index("ix_event_start", "event", "organization_id", start, "id")
    index("ix_event_test", "event", "organization_id", "test_id")
    index("ix_event_title", "event", "organization_id", "title", "id")
    index("ix_event_venue_start", "event", "organization_id", "venue_id", start, "id")
    lower_case_statistics(
        "event",
        *("appointment_type", "billing_type", "calendar_color", "class_code", "distribution_code"),
        *("distribution_process", "distribution_status", "event_type", "exam_format", "exam_type"),
        *("last_change_type", "last_change_user", "publication_status", "requisition_status"),
        *("return_shipment_code", "return_shipment_condition", "scheduling_status", "source"),
        "venue_room",
    )


def _test_form() -> None:
    op.create_table(
        "test_form",
        key("organization_id"),
        key("id"),
        key("test_id"),
        text("code", 50),
        text("name", 200),
        flag("published"),
        instant("published_at", null=True),
        flag("bilingual"),
        text("language", 35, null=True),
        primary_key("organization_id", "id"),
        refers_to("test", "test_id"),
        unique("organization_id", "test_id", "code"),
    )
    index("ix_test_form_code", "test_form", "organization_id", "code")


def _test_module() -> None:
    op.create_table(
        "test_module",
        key("organization_id"),
        key("test_id"),
        key("module_id"),
        primary_key("organization_id", "test_id", "module_id"),
        refers_to("module", "module_id"),
        refers_to("test", "test_id"),
    )


def _user_centre() -> None:
    op.create_table(
        "user_centre",
        key("organization_id"),
        key("user_id"),
        key("centre_id"),
        primary_key("organization_id", "user_id", "centre_id"),
        refers_to("app_user", "user_id"),
        refers_to("centre", "centre_id"),
    )


def _user_subject() -> None:
    op.create_table(
        "user_subject",
        key("organization_id"),
        key("user_id"),
        key("subject_id"),
        primary_key("organization_id", "user_id", "subject_id"),
        refers_to("app_user", "user_id"),
        refers_to("subject", "subject_id"),
    )


def _booking() -> None:
    op.create_table(
        "booking",
        key("organization_id"),
        key("id"),
        choice("kind", BOOKING_KIND),
        text("reference", 50),
        choice("status", BOOKING_STATUS),
        key("candidate_id"),
        key("centre_id", null=True),
        key("room_id", null=True),
        key("event_id", null=True),
        key("test_id", null=True),
        key("subject_id", null=True),
        key("agent_office_id", null=True),
        text("time_zone", 64),
        wall_time("local_start"),
        wall_time("local_end", null=True),
        instant("start_at"),
        instant("end_at", null=True),
        instant("busy_until_at"),
        number("duration_minutes", null=True),
        number("extra_time_minutes"),
        number("extra_break_minutes"),
        number("accommodation_count"),
        instant("opens_at", null=True),
        instant("closes_at", null=True),
        instant("session_started_at", null=True),
        instant("lapses_at", null=True),
        choice("cancel_reason", CANCELLATION_REASON, null=True),
        text("cancel_message", 500, null=True),
        instant("cancelled_at", null=True),
        key("cancelled_by_user_id", null=True),
        text("cancelled_by_name", 200, null=True),
        flag("cancelled_on_behalf"),
        number("version"),
        instant("created_at"),
        instant("updated_at"),
        key("created_by_user_id", null=True),
        text("created_by_name", 200),
        text("created_by_proxy", 200, null=True),
        primary_key("organization_id", "id"),
        of_organization(),
        refers_to("candidate", "candidate_id"),
        refers_to("centre", "centre_id"),
        refers_to("event", "event_id"),
        refers_to("room", "room_id"),
        refers_to("subject", "subject_id"),
        refers_to("agent_office", "agent_office_id"),
        refers_to("test", "test_id"),
        check("cancellation", "(cancel_reason is null) = (cancelled_at is null)"),
        check("cancelled_has_reason", "status <> 'CANCELLED' or cancel_reason is not null"),
        check(
            "ends_after_start",
            "end_at >= start_at and busy_until_at > coalesce(session_started_at, start_at)",
        ),
        check("version", "version >= 1"),
        check("window", "opens_at is null or closes_at is not null and closes_at > opens_at"),
    )
    index(
        "ix_booking_agent_office",
        "booking",
        "organization_id",
        "agent_office_id",
        "start_at",
        "id",
        where="agent_office_id is not null",
    )
    index("ix_booking_candidate", "booking", "organization_id", "candidate_id", "start_at", "id")
    index("ix_booking_created_at", "booking", "organization_id", "created_at", "id")
    index("ix_booking_event", "booking", "organization_id", "event_id", "start_at", "id")
    index(
        "ix_booking_event_seats",
        "booking",
        "organization_id",
        "event_id",
        where="status in ('PENDING', 'CONFIRMED', 'IN_PROGRESS')",
    )
    index(
        "ix_booking_lapses_at",
        "booking",
        "organization_id",
        "lapses_at",
        where="status = 'PENDING'",
    )
    index(
        "ix_booking_room_seats",
        "booking",
        "organization_id",
        "room_id",
        "start_at",
        "busy_until_at",
        where="status in ('PENDING', 'CONFIRMED', 'IN_PROGRESS')",
    )
    index("ix_booking_start", "booking", "organization_id", "start_at", "id")
    index("ix_booking_updated_at", "booking", "organization_id", "updated_at", "id")
    index(
        "uq_booking_reference",
        "booking",
        "organization_id",
        "kind",
        "reference",
        where="kind <> 'AGENT_BOOKING'",
        unique=True,
    )


def _event_module() -> None:
    op.create_table(
        "event_module",
        key("organization_id"),
        key("event_id"),
        key("module_id"),
        primary_key("organization_id", "event_id", "module_id"),
        refers_to("event", "event_id"),
        refers_to("module", "module_id"),
    )


def _event_version() -> None:
    op.create_table(
        "event_version",
        *_event_columns(),
        primary_key("organization_id", "id", "version"),
        refers_to("event", "id"),
    )


def _accommodation() -> None:
    op.create_table(
        "accommodation",
        key("organization_id"),
        key("id"),
        key("booking_id"),
        text("type", 50),
        text("name", 200, null=True),
        choice("scope", ACCOMMODATION_SCOPE),
        number("time_extension_minutes", null=True),
        number("extra_time_percentage", null=True),
        number("effective_minutes"),
        number("extra_breaks_per_section", null=True),
        text("reason", 500, null=True),
        key("granted_by_user_id", null=True),
        text("granted_by_name", 200),
        text("granted_by_proxy", 200, null=True),
        instant("granted_at"),
        primary_key("organization_id", "id"),
        refers_to("booking", "booking_id"),
        unique("organization_id", "booking_id", "type"),
        check("extra_breaks_per_section", "extra_breaks_per_section between 0 and 99"),
        check("extra_time_percentage", "extra_time_percentage between 0 and 999"),
        check("time_extension_minutes", "time_extension_minutes between 0 and 999"),
    )


def _enrolment() -> None:
    op.create_table(
        "enrolment",
        key("organization_id"),
        key("id"),
        key("module_id", null=True),
        flag("on_demand"),
        choice("delivery", DELIVERY_MODE),
        number("attempt_number"),
        key("previous_attempt_id", null=True),
        choice("result", ENROLMENT_RESULT, null=True),
        flag("appeal_upheld"),
        text("appeal_details", 4000, null=True),
        text("complaint_details", 4000, null=True),
        text("reasonable_adjustment_requests", 4000, null=True),
        text("reasonable_adjustment_decision", 4000, null=True),
        primary_key("organization_id", "id"),
        refers_to("booking", "id"),
        refers_to("booking", "previous_attempt_id"),
        refers_to("module", "module_id"),
        check("attempt_number", "attempt_number >= 1"),
    )


def _payment() -> None:
    op.create_table(
        "payment",
        key("organization_id"),
        key("id"),
        key("booking_id"),
        key("reference"),
        choice("method", PAYMENT_METHOD, null=True),
        choice("responsibility", PAYMENT_RESPONSIBILITY),
        choice("status", PAYMENT_STATUS),
        amount("cost_amount", null=True),
        text("cost_currency", 3, null=True),
        instant("due_by", null=True),
        text("url", 2000, null=True),
        text("provider", 50, null=True),
        text("provider_reference", 200, null=True),
        text("refund_reference", 200, null=True),
        text("purchase_order", 50, null=True),
        primary_key("organization_id", "id"),
        refers_to("booking", "booking_id"),
        unique("organization_id", "booking_id"),
        unique("organization_id", "reference"),
        check("cost", "(cost_amount is null) = (cost_currency is null)"),
    )


def _registration() -> None:
    op.create_table(
        "registration",
        key("organization_id"),
        key("id"),
        key("identifier"),
        text("registrant_type", 200, null=True),
        key("test_form_id", null=True),
        primary_key("organization_id", "id"),
        refers_to("booking", "id"),
        refers_to("test_form", "test_form_id"),
        unique("organization_id", "identifier"),
    )
    index("ix_registration_test_form", "registration", "organization_id", "test_form_id")


def _registration_transfer() -> None:
    op.create_table(
        "registration_transfer",
        key("organization_id"),
        key("id"),
        key("booking_id"),
        key("from_event_id"),
        key("to_event_id"),
        text("reason", 500),
        instant("at"),
        key("by_user_id", null=True),
        text("by_name", 200),
        text("by_proxy", 200, null=True),
        primary_key("organization_id", "id"),
        refers_to("booking", "booking_id"),
        refers_to("event", "from_event_id"),
        refers_to("event", "to_event_id"),
    )
    index(
        "ix_registration_transfer_booking",
        "registration_transfer",
        "organization_id",
        "booking_id",
        "at",
        "id",
    )


def _session_pin() -> None:
    op.create_table(
        "session_pin",
        key("organization_id"),
        key("centre_id"),
        key("test_id"),
        day("on_date"),
        text("pin", 6),
        primary_key("organization_id", "centre_id", "test_id", "on_date"),
        refers_to("centre", "centre_id"),
        refers_to("test", "test_id"),
    )


def _test_schedule() -> None:
    op.create_table(
        "test_schedule",
        key("organization_id"),
        key("id"),
        text("keycode", 8, null=True),
        text("deleted_keycode", 8, null=True),
        text("pin", 6, null=True),
        key("test_form_id", null=True),
        flag("test_form_auto_selected"),
        day("start_date"),
        day("end_date"),
        time_of_day("start_time"),
        time_of_day("end_time"),
        flag("enforce_times"),
        number("buffer_hours"),
        flag("requires_invigilation"),
        flag("marked_externally"),
        flag("allow_multiple_open_sessions"),
        document("test_tags"),
        key("marker_user_id", null=True),
        text("marker_name", 200, null=True),
        key("moderator_user_id", null=True),
        text("moderator_name", 200, null=True),
        text("purchase_order", 50, null=True),
        text("language", 35),
        instant("session_completed_at", null=True),
        primary_key("organization_id", "id"),
        refers_to("app_user", "marker_user_id"),
        refers_to("app_user", "moderator_user_id"),
        refers_to("booking", "id"),
        refers_to("test_form", "test_form_id"),
        unique("organization_id", "deleted_keycode"),
        unique("organization_id", "keycode"),
        check("buffer_hours", "buffer_hours between 0 and 168"),
        check("keycodes", "keycode is null or deleted_keycode is null"),
        check("pin", "pin is null or requires_invigilation"),
        check("window", "end_date >= start_date and end_time > start_time"),
    )
    index("ix_test_schedule_test_form", "test_schedule", "organization_id", "test_form_id")


def _agent_office() -> None:
    op.create_table(
        "agent_office",
        key("organization_id"),
        key("id"),
        text("code", 50),
        text("name", 200),
        text("search_text", 500),
        text("agency", 200),
        flag("active"),
        primary_key("organization_id", "id"),
        of_organization(),
        unique("organization_id", "code"),
    )
    index("ix_agent_office_name", "agent_office", "organization_id", "name", "id")


def _product() -> None:
    op.create_table(
        "product",
        key("organization_id"),
        key("id"),
        text("code", 50),
        choice("kind", PRODUCT_KIND),
        text("name", 200),
        text("search_text", 500),
        number("min_weeks", null=True),
        number("max_weeks", null=True),
        flag("active"),
        primary_key("organization_id", "id"),
        of_organization(),
        unique("organization_id", "code"),
        check("weeks", "max_weeks >= min_weeks"),
        check("min_weeks", "min_weeks between 1 and 1000"),
        check("max_weeks", "max_weeks between 1 and 1000"),
    )
    index("ix_product_name", "product", "organization_id", "name", "id")


def _product_offer() -> None:
    op.create_table(
        "product_offer",
        key("organization_id"),
        key("id"),
        key("product_id"),
        key("centre_id"),
        number("capacity", null=True),
        flag("offered"),
        primary_key("organization_id", "id"),
        refers_to("product", "product_id"),
        refers_to("centre", "centre_id"),
        unique("organization_id", "product_id", "centre_id"),
        check("capacity", "capacity between 1 and 100000"),
    )
    index("ix_product_offer_centre", "product_offer", "organization_id", "centre_id")


def _offer_start_date() -> None:
    op.create_table(
        "offer_start_date",
        key("organization_id"),
        key("offer_id"),
        day("starts_on"),
        primary_key("organization_id", "offer_id", "starts_on"),
        refers_to("product_offer", "offer_id"),
    )


def _user_agent_office() -> None:
    op.create_table(
        "user_agent_office",
        key("organization_id"),
        key("user_id"),
        key("agent_office_id"),
        primary_key("organization_id", "user_id", "agent_office_id"),
        refers_to("app_user", "user_id"),
        refers_to("agent_office", "agent_office_id"),
    )


def _agent_booking() -> None:
    op.create_table(
        "agent_booking",
        key("organization_id"),
        key("id"),
        text("agent_booking_id", 50),
        text("agency_key", 250),
        key("agent_office_id", null=True),
        choice("status", AGENT_BOOKING_STATUS),
        number("revision"),
        number("confirmed_revision", null=True),
        number("backend_booking_id", null=True),
        number("backend_student_id", null=True),
        document("content"),
        document("validation_messages"),
        instant("leased_until", null=True),
        key("lease", null=True),
        primary_key("organization_id", "id"),
        refers_to("booking", "id"),
        refers_to("agent_office", "agent_office_id"),
        unique("organization_id", "agent_booking_id", "agency_key"),
        check("lease", "(status = 'VALIDATING') = (lease is not null)"),
        check("leased_until", "(lease is null) = (leased_until is null)"),
        check("revision", "revision >= 1"),
        check("confirmed_revision", "confirmed_revision between 1 and revision"),
        check("cancelled", "status <> 'CANCELLED' or confirmed_revision is null"),
    )
    index(
        "ix_agent_booking_waits",
        "agent_booking",
        "id",
        where="status in ('RECEIVED', 'VALIDATING')",
    )


def _agent_booking_item() -> None:
    op.create_table(
        "agent_booking_item",
        key("organization_id"),
        key("booking_id"),
        number("revision"),
        choice("kind", PRODUCT_KIND),
        number("position"),
        text("code", 10),
        day("date_from", null=True),
        number("number_of_weeks", null=True),
        number("quantity", null=True),
        primary_key("organization_id", "booking_id", "revision", "kind", "position"),
        refers_to("booking", "booking_id"),
        check(
            "dates",
            "(kind in ('COURSE', 'LODGING')) = (date_from is not null)"
            " and (date_from is null) = (number_of_weeks is null)",
        ),
        check("number_of_weeks", "number_of_weeks >= 1"),
        check("quantity", "(kind = 'OPTIONAL_EXTRA') = (quantity is not null)"),
        check("at_least_one", "quantity >= 1"),
    )
    index(
        "ix_agent_booking_item_code",
        "agent_booking_item",
        "organization_id",
        "kind",
        "code",
        "date_from",
    )


def _agent_booking_revision() -> None:
    op.create_table(
        "agent_booking_revision",
        key("organization_id"),
        key("booking_id"),
        number("revision"),
        document("content"),
        instant("received_at"),
        key("received_by_user_id", null=True),
        text("received_by_name", 200),
        text("received_by_proxy", 200, null=True),
        primary_key("organization_id", "booking_id", "revision"),
        refers_to("booking", "booking_id"),
    )


def _offer_place() -> None:
    op.create_table(
        "offer_place",
        key("organization_id"),
        key("offer_id"),
        day("starts_on"),
        key("booking_id"),
        primary_key("organization_id", "offer_id", "starts_on", "booking_id"),
        refers_to("product_offer", "offer_id"),
        refers_to("booking", "booking_id"),
    )
    index("ix_offer_place_booking", "offer_place", "organization_id", "booking_id")


def _notification_endpoint() -> None:
    op.create_table(
        "notification_endpoint",
        key("organization_id"),
        key("id"),
        key("user_id", null=True),
        document("topics"),
        choice("channel", NOTIFICATION_CHANNEL),
        text("url", 2000, null=True),
        text("email", 254, null=True),
        text("current_key", 64),
        text("previous_key", 64, null=True),
        instant("previous_key_until", null=True),
        flag("active"),
        text("disabled_reason", 500, null=True),
        instant("failing_since", null=True),
        instant("created_at"),
        instant("removed_at", null=True),
        primary_key("organization_id", "id"),
        of_organization(),
        refers_to("app_user", "user_id"),
        check("address", "(channel = 'HTML_EMAIL') = (url is null)"),
        check("email", "channel <> 'HTML_EMAIL' or email is not null"),
        check("disabled", "active = (disabled_reason is null)"),
        check("previous_key", "(previous_key is null) = (previous_key_until is null)"),
    )
    index(
        "ix_notification_endpoint_kept",
        "notification_endpoint",
        "organization_id",
        "id",
        where="removed_at is null",
    )


def _notification_delivery() -> None:
    waits = "status in ('QUEUED', 'RETRYING')"
    op.create_table(
        "notification_delivery",
        key("organization_id"),
        key("id"),
        key("endpoint_id"),
        key("subject_id"),
        big_number("position"),
        choice("channel", NOTIFICATION_CHANNEL),
        choice("topic", NOTIFICATION_TOPIC),
        document("content"),
        choice("status", DELIVERY_STATUS),
        number("attempts"),
        number("last_http_status", null=True),
        text("last_error", 500, null=True),
        instant("next_attempt_at", null=True),
        instant("give_up_at"),
        instant("leased_until", null=True),
        key("lease", null=True),
        instant("created_at"),
        instant("delivered_at", null=True),
        primary_key("organization_id", "id"),
        refers_to("notification_endpoint", "endpoint_id"),
        check("waits", "(status in ('QUEUED', 'RETRYING')) = (next_attempt_at is not null)"),
        check("delivered", "(status = 'DELIVERED') = (delivered_at is not null)"),
        check("lease", "(lease is null) = (leased_until is null)"),
        check("attempts", "attempts >= 0"),
    )
    name = "notification_delivery"
    index(
        "ix_notification_delivery_due",
        "notification_delivery",
        "organization_id",
        "endpoint_id",
        "next_attempt_at",
        where=waits,
    )
    index(
        "ix_notification_delivery_queue",
        name,
        "organization_id",
        "endpoint_id",
        "position",
        where=waits,
    )
    index(
        "ix_notification_delivery_subject",
        name,
        "organization_id",
        "endpoint_id",
        "subject_id",
        "position",
        where=waits,
    )
    index(
        "ix_notification_delivery_endpoint",
        name,
        "organization_id",
        "endpoint_id",
        "created_at",
        "id",
    )
