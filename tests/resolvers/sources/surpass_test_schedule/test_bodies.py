"""Imports of the bodies of POST TestSchedule; domain.md, sections 2.2 and 8.12."""

from datetime import date, time
from typing import Any

import pytest

from resolvers.centres.commands import UpsertCentre, upsert_centres
from resolvers.references import ByExternalId, ByKey
from resolvers.sources.formats import FORMATS
from resolvers.sources.json_text import Unreadable
from resolvers.sources.report import Report
from resolvers.sources.surpass_test_schedule.bodies import in_any_case
from resolvers.sources.surpass_test_schedule.documents import XML as SHAPE
from resolvers.sources.xml_text import parse_body
from resolvers.storage import Storage
from resolvers.storage.tables import Booking, CandidateCentre, TestSchedule
from resolvers.tests.commands import UpsertSubject, upsert_subjects
from resolvers.viewer import Viewer
from resolvers.vocabulary import SourceSystem
from tests.resolvers.sources.pointing import imported as imported_at_its_places
from tests.resolvers.world import World

JSON = """{
  "Test": {"reference": "MATHS"}, "Centre": {"id": 7}, "Candidate": {"reference": "C1"},
  "startDate": "18/12/2027", "endDate": "21/12/2027", "startTime": "0900", "endTime": "1700",
  "reasonableAdjustments": {"extraTimeMin": 30, "extraTimePercentage": 25, "reason": "why"},
  "breakReasonableAdjustments": {"extraTimePercentage": 10, "numberOfExtraBreaksPerSection": 2},
  "unscheduledBreak": {"extraTimeMin": 5},
  "markedExternally": true, "allowMultipleOpenSessions": true, "requiresInvigilation": true,
  "testTags": ["late", "big print"], "purchaseOrder": "PO-1", "Subject": {"reference": "SUM"},
  "language": "en", "enforceTimes": false
}"""
XML = """<?xml version="1.0" encoding="utf-8"?>
<TestSchedule xmlns="http://schemas.example.org/" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"
  i:schemaLocation="http://schemas.example.org/ TestSchedule.xsd">
  <Test><reference>MATHS</reference></Test><Centre><id>7</id></Centre>
  <Candidate><reference>C1</reference></Candidate>
  <startDate>18/12/2027</startDate><endDate>21/12/2027</endDate>
  <startTime>0900</startTime><endTime>1700</endTime>
  <reasonableAdjustments><extraTimeMin>30</extraTimeMin>
    <extraTimePercentage>25</extraTimePercentage><reason>why</reason></reasonableAdjustments>
  <breakReasonableAdjustments><extraTimePercentage>10</extraTimePercentage>
    <numberOfExtraBreaksPerSection>2</numberOfExtraBreaksPerSection></breakReasonableAdjustments>
  <unscheduledBreak><extraTimeMin>5</extraTimeMin></unscheduledBreak>
  <markedExternally>true</markedExternally>
  <allowMultipleOpenSessions>true</allowMultipleOpenSessions>
  <requiresInvigilation>true</requiresInvigilation>
  <testTags><string>late</string><string>big print</string></testTags>
  <purchaseOrder>PO-1</purchaseOrder><Subject><reference>SUM</reference></Subject>
  <TestForm i:nil="true"/><marker/>
  <language>en</language><enforceTimes>false</enforceTimes>
</TestSchedule>"""

XSI = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'


@pytest.fixture
async def world(storage: Storage, viewer: Viewer) -> World:
    """A centre that the source knows as 7, its subject and test, and a candidate of both."""
    world = World(storage, viewer)
    centre = await world.centre()
    subject = await world.made(
        upsert_subjects,
        UpsertSubject(viewer=viewer, reference="SUM", name="Sums", centre_ids=(ByKey(centre),)),
    )
    await world.test("MATHS", duration_minutes=100, subject=ByKey(subject))
    both = {"centre_ids": (ByKey(centre),), "subject_ids": (ByKey(subject),)}
    await world.candidate("C1", **both)
    known = ByExternalId(SourceSystem.SURPASS_TEST_SCHEDULE, "centre", "7")
    await world.made(
        upsert_centres,
        UpsertCentre(
            viewer=viewer,
            reference="LON",
            name="London",
            time_zone="Europe/London",
            external_ids=(known,),
        ),
    )
    return world


async def imported(world: World, text: str | bytes, **options: Any) -> Report:
    format = FORMATS["surpass-test-schedule"]
    given = text.encode() if isinstance(text, str) else text
    organization_id = world.viewer.organization_id
    return await imported_at_its_places(
        world.storage, format, format.parse(given), organization_id=organization_id, **options
    )


async def schedules(world: World) -> list[TestSchedule]:
    return await world.rows(TestSchedule, "organization_id", world.viewer.organization_id)


def fates(report: Report) -> list[str]:
    return [row.fate.value for row in report.rows]


def reasons(report: Report) -> list[tuple[str, str]]:
    return [(reason.path, reason.code) for row in report.refused for reason in row.reasons]


@pytest.mark.parametrize("text", [JSON, XML, "\ufeff" + XML])
async def test_a_body_is_imported_once(world: World, text: str) -> None:
    """With every attribute, in either format; the same again changes nothing."""
    first = await imported(world, text)
    again = await imported(world, text)

    assert (fates(first), fates(again)) == (["made"], ["unchanged"]), reasons(first)
    [schedule] = await schedules(world)
    booking = await world.row(schedule.id)
    assert (schedule.start_date, schedule.end_date) == (date(2027, 12, 18), date(2027, 12, 21))
    assert (schedule.start_time, schedule.end_time) == (time(9), time(17))
    assert (booking.extra_time_minutes, booking.extra_break_minutes) == (30, 5)
    assert schedule.test_tags == ["late", "big print"]
    assert (schedule.purchase_order, schedule.language) == ("PO-1", "en")
    assert (schedule.marked_externally, schedule.allow_multiple_open_sessions) == (True, True)
    assert schedule.pin is not None
    assert booking.created_by_name == "import surpass-test-schedule"


@pytest.mark.parametrize(
    "text",
    [
        f"[{JSON}, {JSON.replace('C1', 'C9')}]",
        f"<List>{XML[39:]}{XML[39:].replace('C1', 'C9')}</List>",
    ],
)
async def test_several_bodies_are_a_row_each(world: World, text: str) -> None:
    """A refused one does not stop the others."""
    report = await imported(world, text)

    assert fates(report) == ["made", "refused"]
    assert reasons(report) == [("$[1].Candidate", "NOT_FOUND")]
    assert len(await schedules(world)) == 1


async def test_mistakes_are_told_at_the_source_s_own_members(world: World) -> None:
    """All that cannot be read at once; and all that the domain refuses at once."""
    unread = await imported(
        world,
        """{"Test": {"id": "x"}, "Centre": {}, "startDate": "2027-12-18", "endDate": "31/02/2027",
        "startTime": "2400", "endTime": 1700, "reasonableAdjustments": {"extraTimeMin": "many"},
        "testTags": [1], "nonsense": 1}""",
    )
    refused = await imported(
        world,
        JSON.replace('"extraTimeMin": 30', '"extraTimeMin": 1000')
        .replace('"1700"', '"0800"')
        .replace('"language": "en"', '"language": "xx", "TestForm": {"reference": "F9"}'),
    )

    assert sorted(reasons(unread)) == [
        ("$.Candidate", "REQUIRED"),
        ("$.Centre.reference", "INVALID_VALUE"),
        ("$.Test.id", "INVALID_VALUE"),
        ("$.endDate", "INVALID_VALUE"),
        ("$.endTime", "INVALID_VALUE"),
        ("$.nonsense", "INVALID_VALUE"),
        ("$.reasonableAdjustments.extraTimeMin", "INVALID_VALUE"),
        ("$.startDate", "INVALID_VALUE"),
        ("$.startTime", "INVALID_VALUE"),
        ("$.testTags[0]", "INVALID_VALUE"),
    ]
    assert reasons(refused) == [
        ("$.endTime", "OUT_OF_RANGE"),
        ("$.reasonableAdjustments.extraTimeMin", "OUT_OF_RANGE"),
        ("$.TestForm", "NOT_FOUND"),
        ("$.language", "INVALID_VALUE"),
    ]


async def test_candidates_are_associated_where_that_is_asked_for(world: World) -> None:
    """As with the header `autoSyncCentreSubject`."""
    stranger = await world.candidate("C2")
    text = JSON.replace("C1", "C2")

    without = await imported(world, text)
    associated = await imported(world, text, associate=True)

    assert reasons(without) == [("$.Candidate", "CANDIDATE_NOT_ASSOCIATED")]
    assert fates(associated) == ["made"]
    assert len(await world.rows(CandidateCentre, "candidate_id", stranger)) == 1


async def test_a_reference_is_needed_where_there_is_no_id(world: World) -> None:
    """An object with neither is refused; with both, the id counts."""
    neither = await imported(world, JSON.replace('{"id": 7}', "{}"))
    both = await imported(world, JSON.replace('{"id": 7}', '{"id": 7, "reference": "nowhere"}'))

    assert reasons(neither) == [("$.Centre.reference", "INVALID_VALUE")]
    assert fates(both) == ["made"]


async def test_what_is_over_is_imported_as_it_happened(world: World) -> None:
    """A window in the past is no mistake: it has expired, and the report says so."""
    report = await imported(world, JSON.replace("2027", "2015"))

    [row] = report.rows
    assert (row.fate.value, [w.code for w in row.warnings]) == ("made", ["WINDOW_IS_OVER"])
    [booking] = await world.rows(Booking, "organization_id", world.viewer.organization_id)
    assert booking.status == "EXPIRED"


async def test_a_schedule_is_judged_at_its_own_time(world: World) -> None:
    """An open schedule stands in the way of one at the same time, not of one that was over."""
    open_now = JSON.replace('"allowMultipleOpenSessions": true, ', "")
    later = open_now.replace("18/12", "20/12")

    reports = [
        await imported(world, text)
        for text in (open_now, open_now.replace("2027", "2015"), later.replace("21/12", "22/12"))
    ]

    assert [fates(report) for report in reports] == [["made"], ["made"], ["refused"]]
    assert reasons(reports[2]) == [("$.Candidate", "OPEN_SCHEDULE_EXISTS")]


@pytest.mark.parametrize("year", ["2015", "2027"])
async def test_schedules_that_overlap_are_refused_before_and_after_their_windows(
    world: World, year: str
) -> None:
    """The first of 2015 has expired at once, but was open when the second one was."""
    first = JSON.replace('"allowMultipleOpenSessions": true, ', "").replace("2027", year)
    overlapping = first.replace("18/12", "20/12").replace("21/12", "22/12")
    allowed = JSON.replace("2027", year).replace("18/12", "20/12")
    afterwards = first.replace("18/12", "28/12").replace("21/12", "29/12")

    reports = [
        await imported(world, text) for text in (first, overlapping, allowed, first, afterwards)
    ]

    assert [fates(report) for report in reports[:4]] == [
        ["made"],
        ["refused"],
        ["made"],
        ["unchanged"],
    ]
    assert reasons(reports[1]) == [("$.Candidate", "OPEN_SCHEDULE_EXISTS")]
    assert fates(reports[4]) == ["made"]


@pytest.mark.parametrize(
    "declaration",
    [
        "",
        '<?xml version="1.0"?>',
        '<?xml version="1.0" encoding="utf-8"?>',
        "<?xml version='1.0' encoding='UTF-16' standalone='yes'?>\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8", "utf-8-sig"])
def test_the_bytes_of_xml_decide_its_encoding(declaration: str, encoding: str) -> None:
    """With a byte order mark and without, whatever a declaration says of UTF-8 and UTF-16."""
    text = f"{declaration}<TestSchedule><language>zh-試-😀</language></TestSchedule>"

    assert parse_body(text.encode(encoding), SHAPE) == {"language": "zh-試-😀"}


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]><TestSchedule><Test>&b;</Test></TestSchedule>',
        "<TestSchedule>" + "<a>" * (SHAPE.deepest + 1),
        "<TestSchedule><Test></TestSchedule>",
        "<TestSchedule>\0</TestSchedule>",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_as_safe_as_utf_8(text: str, encoding: str) -> None:
    with pytest.raises(Unreadable):
        parse_body(text.encode(encoding), SHAPE)


@pytest.mark.parametrize("end", [b"\x00a", b"\x00\x00\xd8"])
def test_half_a_character_is_not_read(end: bytes) -> None:
    with pytest.raises(Unreadable, match="encoding"):
        parse_body(b"\xff\xfe<" + end, SHAPE)


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]><TestSchedule><Test>&b;</Test></TestSchedule>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><TestSchedule/>',
        '<!DOCTYPE a [<!ENTITY % b SYSTEM "http://localhost/b"> %b;]><a/>',
        "<TestSchedule><Test></TestSchedule>",
        "<TestSchedule>&b;</TestSchedule>",
        "<TestSchedule><Test/><Test/></TestSchedule>",
        "<TestSchedule><testTags>a</testTags></TestSchedule>",
        "<TestSchedule><testTags>a<string>b</string></testTags></TestSchedule>",
        "<TestSchedule>a<language>en</language></TestSchedule>",
        "<TestSchedule><language>en</language>a</TestSchedule>",
        '<TestSchedule><Test id="1"/></TestSchedule>',
        '<TestSchedule version="2"><language>en</language></TestSchedule>',
        '<List page="1"><TestSchedule/></List>',
        f'<TestSchedule {XSI}><Test i:nil="true"><id>1</id></Test></TestSchedule>',
        f'<TestSchedule {XSI}><language i:nil="1">en</language></TestSchedule>',
        "<Other><Test><id>1</id></Test></Other>",
        "<TestSchedule>"
        + "<a>" * (SHAPE.deepest + 1)
        + "</a>" * (SHAPE.deepest + 1)
        + "</TestSchedule>",
        '<?xml version="1.0" encoding="no-such"?><TestSchedule/>',
        "<" + "a" * (16 * 1024 * 1024) + "/>",
        "{",
        "",
    ],
)
def test_a_file_that_is_not_safe_or_not_whole_is_not_read(text: str) -> None:
    """Entities, what is external, depth without end: said in words, and nothing is fetched."""
    with pytest.raises(Unreadable):
        parse_body(text.encode(), SHAPE)


def test_what_is_too_deep_is_given_up_at_once() -> None:
    """Before the rest takes the memory: that it does not end is never found out."""
    with pytest.raises(Unreadable, match="nested too deeply"):
        parse_body(b"<TestSchedule>" + b"<a>" * 1_000_000, SHAPE)


@pytest.mark.parametrize("value", ["1", '"x"', "[[]]", "<TestSchedule/>"])
async def test_what_is_no_body_is_refused(world: World, value: str) -> None:
    """Each such element is a refused row."""
    report = await imported(world, value)

    assert fates(report) == ["refused"]


def test_keys_are_those_of_the_source() -> None:
    """What is written in another case is the same attribute; twice, it is one too many."""
    assert in_any_case({"test": {"ID": 1}, "STARTDATE": "x"}) == {
        "Test": {"id": 1},
        "startDate": "x",
    }
    assert in_any_case({"Test": 1, "test": 2}) == {"Test": 1, "test": 2}
