"""Agent bookings in the API: fields, errors, and masking of personal data."""

from datetime import timedelta

import pytest

from resolvers.outcomes import Outcome
from resolvers.storage.rows import changed
from resolvers.storage.tables import AgentBooking, Booking
from resolvers.viewer import Scope
from resolvers.vocabulary import AgentBookingStatus, BookingStatus, Role

BOOK = """mutation ($input: BookAgentBookingInput!) { bookAgentBooking(input: $input) {
  agentBooking { id revision agentBookingStatus version } created changed replayed
  warnings { code }
  errors { __typename code message path httpStatus ... on InputError { fieldName } }
} }"""

FIELDS = """query ($agency: String) { agentBooking(agentBookingId: "X8347848", agency: $agency) {
  kind reference status allowedActions candidate { fullName referenceGenerated }
  centre { reference } room { id } event { id } payment { id } cancellation { reason }
  accommodations { type } externalIds { value } version
  times { timeZone localStart localEnd start end durationMinutes }
  agentBookingId agentBookingStatus revision confirmedRevision backendBookingId backendStudentId
  agentOffice { code agency } languageLevel
  agentContact { firstNames lastName telephone mobile email }
  student { firstNames lastName passportNumber passportIssuingCountry dateOfBirth gender
    countryOfBirth nationality email telephone mobile
    address { line1 line2 city stateProvince postalCode country }
    emergencyContact { name phone relationship } }
  courses { product { name } code dateFrom dateTo numberOfWeeks }
  lodging { product { name } code dateFrom dateTo numberOfWeeks }
  optionalExtras { product { name } code quantity }
  airportTransfers { product { name } code }
  specialRequirements { medicalCondition allergies general }
  homestayPreferences { smoking pets children vegetarianMeals }
  validationMessages { message rule path }
} }"""

MASKED = """{ agentBooking(agentBookingId: "X8347848") {
  agentContact { firstNames telephone mobile }
  student { firstNames nationality gender passportNumber email telephone mobile
    emergencyContact { phone } }
  specialRequirements { medicalCondition allergies general }
  history { nodes { after } }
} }"""

LIST = """{ agentBookings { totalCount nodes { agentBookingId courses { code } } }
  bookings(filter: {kind: [AGENT_BOOKING]}) { nodes { id ... on AgentBooking { revision
    courses { code dateTo product { code } } languageLevel } } } }"""

IN_STATUS = """query ($status: BookingStatus!) { agentBookings(filter: {status: [$status]}) {
  totalCount nodes { status allowedActions }
} }"""

CANCEL = """mutation ($input: CancelBookingInput!) { cancelBooking(input: $input) {
  booking { status ... on AgentBooking { agentBookingStatus confirmedRevision } }
  changed errors { code }
} }"""

SAMPLE = {
    "agentBookingId": "X8347848",
    "agentOfficeCode": "2983",
    "agentContact": {
        "firstNames": "Anna",
        "lastName": "Polishchuk",
        "telephone": "+34 1",
        "email": "anna.polishchuk@agentcompany.com",
    },
    "schoolCode": "C1",
    "languageLevel": "Intermediate",
    "student": {
        "firstNames": "Bobby",
        "lastName": "Smith",
        "passportNumber": "4823 909 9838",
        "passportIssuingCountry": "ES",
        "dateOfBirth": "1993-02-20",
        "gender": "MALE",
        "countryOfBirth": "ES",
        "nationality": "ES",
        "email": "bobby@example.com",
        "telephone": "+34 93 412 46 02",
        "mobile": "+34 09 456 888",
        "address": {
            "line1": "Torre Espacio",
            "line2": "Paseo de la Castellana 259D",
            "city": "Madrid",
            "stateProvince": "",
            "postalCode": "28046",
            "country": "ES",
        },
        "emergencyContact": {
            "name": "Jane Smith",
            "phone": "+34 09 123 233",
            "relationship": "Mother",
        },
    },
    "courses": [{"code": "C92", "dateFrom": "2027-03-15", "numberOfWeeks": 3}],
    "lodging": [{"code": "A78", "dateFrom": "2027-03-14", "numberOfWeeks": 3}],
    "optionalExtras": [{"quantity": 1, "code": "E33"}],
    "airportTransfers": [{"code": "TRN88"}],
    "specialRequirements": {"allergies": "Allergic to nuts", "general": "Vegan"},
    "homestayPreferences": {
        "smoking": "NON_SMOKING",
        "pets": "NO_PREFERENCE",
        "children": "CHILDREN",
        "vegetarianMeals": True,
    },
}


@pytest.fixture
async def office(made, world):
    course = {"code": "C92", "kind": "COURSE", "name": "General English"}
    await made("upsertProduct", "product", **course)
    # A product of another kind, which must not match.
    await made("upsertProduct", "product", code="A78", kind="OPTIONAL_EXTRA", name="A book")
    return await made(
        "upsertAgentOffice", "agentOffice", code="2983", name="Madrid", agency="Study Abroad"
    )


async def test_every_field(client, office):
    """A booking returns the submitted content, its submitter and its status."""
    payload = await client.of(BOOK, input=SAMPLE)
    assert (payload["created"], payload["changed"], payload["errors"]) == (True, True, [])

    found = await client.of(FIELDS, agency="Study Abroad")

    assert found == await client.of(FIELDS)
    student = SAMPLE["student"]
    address = {**student["address"], "stateProvince": None}
    assert found.pop("student") == {**student, "address": address}
    assert found.pop("agentContact") == {**SAMPLE["agentContact"], "mobile": None}
    assert found.pop("homestayPreferences") == SAMPLE["homestayPreferences"]
    assert found == {
        "kind": "AGENT_BOOKING",
        "reference": "X8347848",
        "status": "PENDING",
        "allowedActions": ["CANCEL", "GRANT_ACCOMMODATION", "RESUBMIT"],
        "candidate": {"fullName": "Bobby Smith", "referenceGenerated": True},
        "centre": {"reference": "C1"},
        "room": None,
        "event": None,
        "payment": None,
        "cancellation": None,
        "accommodations": [],
        "externalIds": [],
        "version": 1,
        "times": {
            "timeZone": "Europe/London",
            "localStart": "2027-03-14T00:00:00",
            "localEnd": "2027-04-05T00:00:00",
            "start": "2027-03-14T00:00:00Z",
            "end": "2027-04-04T23:00:00Z",
            "durationMinutes": None,
        },
        "agentBookingId": "X8347848",
        "agentBookingStatus": "RECEIVED",
        "revision": 1,
        "confirmedRevision": None,
        "backendBookingId": None,
        "backendStudentId": None,
        "agentOffice": {"code": "2983", "agency": "Study Abroad"},
        "languageLevel": "Intermediate",
        "courses": [
            {
                "product": {"name": "General English"},
                "code": "C92",
                "dateFrom": "2027-03-15",
                "dateTo": "2027-04-05",
                "numberOfWeeks": 3,
            }
        ],
        "lodging": [
            {
                "product": None,
                "code": "A78",
                "dateFrom": "2027-03-14",
                "dateTo": "2027-04-04",
                "numberOfWeeks": 3,
            }
        ],
        "optionalExtras": [{"product": None, "code": "E33", "quantity": 1}],
        "airportTransfers": [{"product": None, "code": "TRN88"}],
        "specialRequirements": {
            "medicalCondition": None,
            "allergies": "Allergic to nuts",
            "general": "Vegan",
        },
        "validationMessages": [],
    }


async def test_all_mistakes_at_once(client, office):
    """All errors are returned in the source's words, and nothing is stored (domain.md, example
    9).
    """
    student = {**SAMPLE["student"], "firstNames": "x" * 101, "dateOfBirth": None}

    payload = await client.of(BOOK, input={**SAMPLE, "student": student})

    assert payload["agentBooking"] is None
    assert payload["errors"] == [
        {
            "__typename": "InputError",
            "code": "STRING_LENGTH",
            "message": "'FirstNames' must be between 0 and 100 characters",
            "path": ["input", "student", "firstNames"],
            "httpStatus": 400,
            "fieldName": "FirstNames",
        },
        {
            "__typename": "InputError",
            "code": "REQUIRED",
            "message": "'DateOfBirth' is required",
            "path": ["input", "student", "dateOfBirth"],
            "httpStatus": 400,
            "fieldName": "DateOfBirth",
        },
    ]
    assert await client.of(FIELDS) is None


async def test_what_types_refuse(client, office):
    """A malformed date is an error of the document."""
    courses = [{"code": "C92", "dateFrom": "15/03/2027", "numberOfWeeks": 3}]

    result = await client.run(BOOK, input={**SAMPLE, "courses": courses})

    assert "dateFrom" in result.errors[0].message


async def test_put_again(client, office):
    """Identical content changes nothing; different content creates revision 2; a repeated key
    returns the first result.
    """
    first = await client.of(BOOK, input={**SAMPLE, "idempotencyKey": "k"})
    replayed = await client.of(BOOK, input={**SAMPLE, "idempotencyKey": "k"})
    same = await client.of(BOOK, input={**SAMPLE, "expectedRevision": 1})
    other = await client.of(BOOK, input={**SAMPLE, "languageLevel": None})
    stale = await client.of(BOOK, input={**SAMPLE, "expectedRevision": 1})

    assert (replayed["replayed"], replayed["created"]) == (True, True)
    assert first["agentBooking"] == same["agentBooking"] == replayed["agentBooking"]
    assert (same["changed"], other["changed"]) == (False, True)
    assert (other["agentBooking"]["revision"], other["agentBooking"]["version"]) == (2, 2)
    assert [error["code"] for error in stale["errors"]] == ["STALE_BOOKING"]


async def test_cancelled(client, office):
    """An agent booking is cancelled like any other kind; then no revision is current."""
    payload = await client.of(BOOK, input=SAMPLE)
    asked = {"bookingId": payload["agentBooking"]["id"], "reason": "WITHDRAWN"}

    assert await client.of(CANCEL, input=asked) == {
        "booking": {
            "status": "CANCELLED",
            "agentBookingStatus": "CANCELLED",
            "confirmedRevision": None,
        },
        "changed": True,
        "errors": [],
    }


async def test_personal_data(client, office):
    """Without VIEW_PII, only personal data is null, in the history too."""
    await client.of(BOOK, input=SAMPLE)
    marker = client.as_role(Role.MARKER)

    found = await marker.of(MASKED)

    [change] = found.pop("history")["nodes"]
    assert change["after"]["student"]["firstNames"] == "Bobby"
    assert change["after"]["student"]["passportNumber"] is None
    assert change["after"]["student"]["address"] is None
    assert change["after"]["specialRequirements"]["allergies"] is None
    assert change["after"]["agentContact"]["email"] is None
    assert found == {
        "agentContact": {"firstNames": "Anna", "telephone": None, "mobile": None},
        "student": {
            "firstNames": "Bobby",
            "nationality": "ES",
            "gender": "MALE",
            "passportNumber": None,
            "email": None,
            "telephone": None,
            "mobile": None,
            "emergencyContact": None,
        },
        "specialRequirements": {"medicalCondition": None, "allergies": None, "general": "Vegan"},
    }
    seen = await client.of(MASKED)
    assert seen["history"]["nodes"][0]["after"]["student"]["dateOfBirth"] == "1993-02-20"


@pytest.mark.parametrize(
    "selection",
    [
        "student { dateOfBirth }",
        "student { address { city } }",
        "student { passportIssuingCountry }",
        "agentContact { email }",
    ],
)
async def test_personal_data_that_is_never_null(client, office, selection):
    """A non-null field with personal data returns FORBIDDEN instead."""
    await client.of(BOOK, input=SAMPLE)
    document = f'{{ agentBooking(agentBookingId: "X8347848") {{ {selection} }} }}'

    result = await client.as_role(Role.MARKER).run(document)

    [error] = result.errors
    assert error.original_error.code == "FORBIDDEN"
    assert (await client.run(document)).errors is None


async def test_what_is_not_possible_is_shown(client, office, key_of):
    """The stored validation messages are returned."""
    payload = await client.of(BOOK, input=SAMPLE)
    told = {"message": "No.", "rule": "START_DATE", "path": ["input", "courses", "0", "dateFrom"]}

    def run(work, keys):
        [detail] = work.lock(AgentBooking, client.viewer.organization_id, keys)
        found = {"status": AgentBookingStatus.INVALID, "validation_messages": [told]}
        work.save(AgentBooking, [(detail, changed(detail, **found))])
        return [Outcome(detail.id)]

    await client.storage.write(run, [key_of(payload["agentBooking"]["id"])])

    found = await client.of(FIELDS)
    assert (found["agentBookingStatus"], found["validationMessages"]) == ("INVALID", [told])


async def test_lists(client, office, key_of):
    """Agent bookings appear in their own list and in the list of all bookings; an agent sees those
    of its offices.
    """
    await client.of(BOOK, input=SAMPLE)
    agent = client.as_role(Role.AGENT)
    own = agent.seeing(scope=Scope(agent_offices=frozenset({key_of(office)})))
    other = agent.seeing(scope=Scope(agent_offices=frozenset({key_of(office).__class__(int=7)})))

    for viewer in (client, own):
        result = await viewer.run(LIST)
        assert result.errors is None
        node = {"agentBookingId": "X8347848", "courses": [{"code": "C92"}]}
        assert result.data["agentBookings"] == {"totalCount": 1, "nodes": [node]}
        [among] = result.data["bookings"]["nodes"]
        assert among["courses"][0]["product"] == {"code": "C92"}
    result = await other.run(LIST)
    assert result.data["agentBookings"] == {"totalCount": 0, "nodes": []}
    for viewer, count in [(client, 1), (own, 1), (other, 0)]:
        assert await viewer.of("{ bookingChanges { totalCount } }") == {"totalCount": count}
    assert await other.of(FIELDS) is None


@pytest.mark.parametrize("microseconds", [-1, 0])
async def test_listed_as_the_clock_has_it(client, office, key_of, clock, microseconds):
    """A booking that is over is listed as COMPLETED, a status that is never stored, and not as
    CONFIRMED.
    """
    payload = await client.of(BOOK, input=SAMPLE)

    def confirm(work, keys):
        [booking] = work.lock(Booking, client.viewer.organization_id, keys)
        work.save(Booking, [(booking, changed(booking, status=BookingStatus.CONFIRMED))])
        clock.now = booking.end_at + timedelta(microseconds=microseconds)
        return [Outcome(booking.id)]

    await client.storage.write(confirm, [key_of(payload["agentBooking"]["id"])])

    status, other = ("CONFIRMED", "COMPLETED") if microseconds else ("COMPLETED", "CONFIRMED")
    actions = ["CANCEL", "GRANT_ACCOMMODATION", "RESUBMIT"]
    assert await client.of(IN_STATUS, status=status) == {
        "totalCount": 1,
        "nodes": [{"status": status, "allowedActions": actions}],
    }
    assert await client.of(IN_STATUS, status=other) == {"totalCount": 0, "nodes": []}


async def test_the_agency_may_have_to_be_named(client, office, made):
    """If two agencies use the same id, a viewer who sees both must name the agency."""
    await made("upsertAgentOffice", "agentOffice", code="11", name="Rome", agency="Others")
    await client.of(BOOK, input=SAMPLE)
    await client.of(BOOK, input={**SAMPLE, "agentOfficeCode": "11"})

    assert await client.errors(FIELDS) == [("AMBIGUOUS_REFERENCE", "agentBookingId")]
    assert (await client.of(FIELDS, agency="Others"))["agentOffice"]["code"] == "11"
    assert await client.of(FIELDS, agency="Nobody") is None


DUPLICATES = """query ($ref: RefInput!) { candidate(ref: $ref) {
  reference possibleDuplicates { id reference email } } }"""
SEEN_BY_AGENT = """{ candidates { totalCount nodes { reference possibleDuplicates { id } } } }"""
CANDIDATE_OF = """{ agentBooking(agentBookingId: "X8347848") {
  candidate { id email address { line1 } dateOfBirth possibleDuplicates { id }
    bookings { totalCount } } history { nodes { changedFields after } } } }"""


async def test_a_passport_number_gives_no_access_to_a_person(client, office, made, key_of):
    """An agent's booking creates a new candidate; only staff see the possible duplicate."""
    known = {"passportNumber": "4823 909 9838", "passportIssuingCountry": "ES"}
    names = {"firstNames": "Roberto", "lastName": "Smith"}
    victim = await made("upsertCandidate", "candidate", reference="V1", **names, **known)
    agent = client.confined_to(Role.AGENT, agent_offices={key_of(office)})

    payload = await agent.of(BOOK, input=SAMPLE)

    assert payload["errors"] == payload["warnings"] == []
    found = await agent.of(CANDIDATE_OF)
    candidate = found["candidate"]
    assert candidate["id"] != victim
    assert candidate["email"] == "bobby@example.com"
    assert candidate["possibleDuplicates"] is None
    assert candidate["bookings"] == {"totalCount": 1}
    assert victim not in str(found)
    assert await agent.of("query ($id: ID!) { node(id: $id) { id } }", id=victim) is None
    assert await agent.of(DUPLICATES, ref={"reference": "V1"}) is None
    listed = await agent.of(SEEN_BY_AGENT)
    [node] = listed["nodes"]
    assert listed["totalCount"] == 1
    assert node["possibleDuplicates"] is None

    shown = await client.of(DUPLICATES, ref={"reference": "V1"})
    assert shown["possibleDuplicates"] == [
        {
            "id": candidate["id"],
            "reference": node["reference"],
            "email": candidate["email"],
        }
    ]
