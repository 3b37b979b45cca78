"""Reads the body of POST TestSchedule `[001]`: its attributes, in the source's own formats."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any, Final

from resolvers import checks
from resolvers.references import ByExternalId, ByReference, Ref, Unreadable
from resolvers.refusals import ValidationErrors
from resolvers.sources.members import Members
from resolvers.sources.rows import ImportContext
from resolvers.test_schedules.commands import Adjustment, BookTestSchedule
from resolvers.vocabulary import SourceSystem

RESOURCES: Final = {
    "Test": "test",
    "Centre": "centre",
    "Candidate": "candidate",
    "TestForm": "testForm",
    "Subject": "subject",
    "marker": "user",
    "moderator": "user",
}
"""The attributes that refer to other objects, and the kind of their external ids."""

DATES: Final = "must be DD/MM/YYYY"
TIMES: Final = "must be TTTT, from 0000 to 2359"
DATE = re.compile(r"\d\d/\d\d/\d{4}", re.ASCII)
TIME = re.compile(r"\d{4}", re.ASCII)
MISSING: Final = Unreadable("", "is missing")


def read_body(value: Mapping[str, Any], importing: ImportContext) -> BookTestSchedule:
    """What a body asks for; values may be texts, as XML has them. Raises: Refused."""
    validation = ValidationErrors()
    body = Members(in_any_case(value), validation, form=True)
    refs = {name: _resource(body, name, validation) for name in RESOURCES}
    values: dict[str, Any] = {
        "start_date": body.parsed("startDate", _date, DATES, required=True),
        "end_date": body.parsed("endDate", _date, DATES, required=True),
        "start_time": body.parsed("startTime", _time, TIMES, required=True),
        "end_time": body.parsed("endTime", _time, TIMES, required=True),
        "reasonable_adjustments": _adjustment(body.members("reasonableAdjustments")),
        "break_adjustments": _adjustment(body.members("breakReasonableAdjustments"), breaks=True),
        "unscheduled_break_minutes": _minutes(body.members("unscheduledBreak")),
        "marked_externally": body.flag("markedExternally") or False,
        "allow_multiple_open_sessions": body.flag("allowMultipleOpenSessions") or False,
        "requires_invigilation": body.flag("requiresInvigilation"),
        "test_tags": body.text_list("testTags"),
        "purchase_order": body.text("purchaseOrder", most=checks.TEXT),
        "language": body.text("language", most=checks.TEXT),
        "enforce_times": body.flag("enforceTimes"),
    }
    body.close()
    validation.settle()
    return BookTestSchedule(
        viewer=importing.viewer,
        test=refs["Test"] or MISSING,
        centre=refs["Centre"] or MISSING,
        candidate=refs["Candidate"] or MISSING,
        test_form=refs["TestForm"],
        subject=refs["Subject"],
        marker=refs["marker"],
        moderator=refs["moderator"],
        associate=importing.associate,
        imported=True,
        **values,
    )


NAMES: Final = {
    name.casefold(): name
    for name in (
        *RESOURCES,
        *("startDate", "endDate", "startTime", "endTime", "reasonableAdjustments"),
        *("breakReasonableAdjustments", "unscheduledBreak", "markedExternally"),
        *("allowMultipleOpenSessions", "requiresInvigilation", "testTags", "purchaseOrder"),
        *("language", "enforceTimes", "id", "reference", "extraTimeMin", "extraTimePercentage"),
        *("numberOfExtraBreaksPerSection", "reason"),
    )
}
"""The attributes as the source writes them; it begins some with a capital and others not."""

REQUIRED: Final = frozenset({"Test", "Centre", "Candidate"})


def in_any_case(value: Mapping[str, Any]) -> dict[str, Any]:
    """The members under the source's names. One that stands there twice is left as it is."""
    members: dict[str, Any] = {}
    for given, inner in value.items():
        name = NAMES.get(given.casefold(), given)
        name = given if name in members else name
        members[name] = in_any_case(inner) if isinstance(inner, Mapping) else inner
    return members


def _resource(body: Members, name: str, validation: ValidationErrors) -> Ref | None:
    """An object by the source's id or by its reference; the id, if there are both `[001]`."""
    members = body.members(name, required=name in REQUIRED)
    if members is None:
        return None
    before = len(validation.refusals)
    number = members.whole("id")
    reference = members.code("reference")
    members.close()
    if number is not None:
        return ByExternalId(SourceSystem.SURPASS_TEST_SCHEDULE, RESOURCES[name], str(number))
    if reference is not None:
        return ByReference(reference)
    if len(validation.refusals) == before:
        members.refuse("reference", "is needed where there is no id")
    return None


def _adjustment(members: Members | None, *, breaks: bool = False) -> Adjustment:
    if members is None:
        return Adjustment()
    made = Adjustment(
        extra_time_minutes=members.integer("extraTimeMin"),
        extra_time_percentage=members.integer("extraTimePercentage"),
        extra_breaks_per_section=members.integer("numberOfExtraBreaksPerSection")
        if breaks
        else None,
        reason=members.text("reason", most=checks.TEXT),
    )
    members.close()
    return made


def _minutes(members: Members | None) -> int | None:
    if members is None:
        return None
    minutes = members.integer("extraTimeMin")
    members.close()
    return minutes


def _date(text: str) -> date:
    if not DATE.fullmatch(text):
        raise ValueError(text)
    return datetime.strptime(text, "%d/%m/%Y").date()  # noqa: DTZ007 - a date has no zone


def _time(text: str) -> time:
    if not TIME.fullmatch(text):
        raise ValueError(text)
    return time(int(text[:2]), int(text[2:]))
