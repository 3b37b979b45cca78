"""Events: fields, candidates and commands."""

from datetime import UTC, datetime, timedelta

from resolvers.vocabulary import Role

FIELDS = """fragment everything on Event {
  id externalIds { value } identifier number kind eventType status title summary description content
  classCode calendarColor appointmentType source creditHours organization { name }
  centre { id } room { id } venueRoom venueOfficeIdentifier venueCoordinatorIdentifier
  achievementIdentifier learnerRegistrationGroupIdentifier mandatorySurveyFormIdentifier
  test { id } modules { id }
  times { timeZone localStart localEnd start end durationMinutes extraTimeMinutes extraBreakMinutes
    windows { date localStart localEnd start end bufferedStart bufferedEnd } }
  onDemand durationQuantity durationUnit examDurationInMinutes examType examFormat examStarted
  examScoreWarnings billingCode billingType billingCodeEnabled capacityMinimum capacityMaximum
  invigilatorMinimum seats { capacity taken free state belowMinimum }
  waitlistEnabled allowMultipleRegistrations allowRegistrationWithLink personCodeIsRequired
  registrationFields registrationStart registrationDeadline registrationLocked registrationOpen
  eligibilityConfigured publicationStatus publicationErrors requisitionStatus schedulingStatus
  integrationWithholdDistribution integrationWithholdGrades
  distribution { code process status errors ordered expected shipped tracked
    returnShipmentCode returnShipmentCondition returnShipmentReceived }
  lastChangeTime lastChangeType lastChangeUser createdAutomatically
  candidates(includeEligible: true) { booked { totalCount } eligible { nodes { id } totalCount } }
  bookings { nodes { id } totalCount } enrolments { nodes { id } totalCount }
  cancellation { reason message cancelledAt cancelledBy { name proxyFor user { id } } onBehalf }
  version
}"""

EVENT = f"query ($id: ID!) {{ event(ref: {{id: $id}}) {{ ...everything }} }} {FIELDS}"
PAYLOAD = "event { ...everything } affectedBookings warnings { code message path } errors { %s }"
ERROR = "__typename code path ... on StateError { eventStatus currentVersion }"
UPDATE = f"""mutation ($input: UpdateEventInput!) {{
  updateEvent(input: $input) {{ {PAYLOAD % ERROR} }} }} {FIELDS}"""
CREATE = f"""mutation ($input: CreateEventInput!) {{
  createEvent(input: $input) {{ {PAYLOAD % ERROR} }} }} {FIELDS}"""
CANCEL = f"""mutation ($input: CancelEventInput!) {{
  cancelEvent(input: $input) {{ {PAYLOAD % ERROR} }} }} {FIELDS}"""
BOOK = """mutation ($input: BookEnrolmentInput!) { bookEnrolment(input: $input) {
  enrolment { id } errors { code message path } } }"""

CANDIDATES = """query ($id: ID!, $eligible: Boolean, $modules: [ID!]) { event(ref: {id: $id}) {
  candidates(includeEligible: $eligible, moduleIds: $modules) {
    booked { nodes { candidate { id } } totalCount }
    eligible { nodes { id } totalCount }
  } } }"""

DISTRIBUTION = {
    "code": "D1",
    "process": "post",
    "status": "sent",
    "errors": "none",
    "ordered": "2027-01-02T00:00:00Z",
    "expected": "2027-01-03T00:00:00Z",
    "shipped": "2027-01-04T00:00:00Z",
    "tracked": "2027-01-05T00:00:00Z",
    "returnShipmentCode": "R1",
    "returnShipmentCondition": "good",
    "returnShipmentReceived": "2027-01-06T00:00:00Z",
}
DETAILS = {
    "number": 7,
    "eventType": "Sitting",
    "summary": "In short",
    "description": "At length",
    "content": "Bones",
    "classCode": "CL1",
    "calendarColor": "red",
    "appointmentType": "call",
    "source": "file",
    "creditHours": 1.5,
    "venueRoom": "H",
    "venueOfficeIdentifier": "00000000-0000-0000-0000-000000000001",
    "venueCoordinatorIdentifier": "00000000-0000-0000-0000-000000000002",
    "achievementIdentifier": "00000000-0000-0000-0000-000000000003",
    "learnerRegistrationGroupIdentifier": "00000000-0000-0000-0000-000000000007",
    "mandatorySurveyFormIdentifier": "00000000-0000-0000-0000-000000000005",
    "durationQuantity": 2,
    "durationUnit": "HOUR",
    "examStarted": "2027-03-01T09:05:00Z",
    "examScoreWarnings": "low",
    "billingType": "invoice",
    "billingCodeEnabled": True,
    "allowRegistrationWithLink": True,
    "registrationFields": "name",
    "registrationLocked": "2027-02-20T00:00:00Z",
    "publicationStatus": "published",
    "publicationErrors": "few",
    "requisitionStatus": "asked",
    "schedulingStatus": "planned",
    "integrationWithholdDistribution": True,
    "integrationWithholdGrades": True,
}


async def test_every_field(client, world):
    """An event has the given values; its other fields are null, defaults or computed."""
    found = await client.of(EVENT, id=world.event)

    assert found.pop("lastChangeTime") == "2027-01-11T12:00:00Z"
    given = {
        "identifier": "11111111-1111-1111-1111-111111111111",
        "title": "Anatomy in spring",
        "examType": "Class",
        "examFormat": "Paper",
        "billingCode": "B1",
        "capacityMaximum": 10,
        "capacityMinimum": 2,
        "invigilatorMinimum": 1,
        "registrationStart": "2027-01-01T00:00:00Z",
        "registrationDeadline": "2027-02-28T00:00:00Z",
        "eligibilityConfigured": True,
    }
    follows = {
        "id": world.event,
        "externalIds": [],
        "kind": "EXAM",
        "status": "SCHEDULED",
        "organization": {"name": "Northfield Exams"},
        "centre": {"id": world.centre},
        "room": {"id": world.room},
        "test": {"id": world.test},
        "modules": [{"id": world.module}],
        "times": {
            "timeZone": "Europe/London",
            "localStart": "2027-03-01T09:00:00",
            "localEnd": "2027-03-01T10:30:00",
            "start": "2027-03-01T09:00:00Z",
            "end": "2027-03-01T10:30:00Z",
            "durationMinutes": 90,
            "extraTimeMinutes": 0,
            "extraBreakMinutes": 0,
            "windows": [],
        },
        "seats": {"capacity": 4, "taken": 0, "free": 4, "state": "FREE", "belowMinimum": True},
        "registrationOpen": True,
        "distribution": dict.fromkeys(DISTRIBUTION),
        "lastChangeType": "Created",
        "lastChangeUser": "admin",
        "candidates": {
            "booked": {"totalCount": 0},
            "eligible": {"nodes": [{"id": world.candidate}], "totalCount": 1},
        },
        "bookings": {"nodes": [], "totalCount": 0},
        "enrolments": {"nodes": [], "totalCount": 0},
        "version": 1,
    }
    rest = {name: value for name, value in found.items() if name not in {**given, **follows}}
    assert {name: found[name] for name in given} == given
    assert {name: found[name] for name in follows} == follows
    assert set(rest.values()) == {None, False}


async def test_details(client, world):
    """The source's other fields keep the given values."""
    given = {"details": {**DETAILS, "distribution": DISTRIBUTION}}

    payload = await client.of(CREATE, input={"title": "Bones", "kind": "CLASS", **given})

    assert payload["errors"] == []
    event = payload["event"]
    assert {name: event[name] for name in DETAILS} == DETAILS
    assert event["distribution"] == DISTRIBUTION
    assert (event["kind"], event["status"]) == ("CLASS", "DRAFT")
    assert event["times"]["timeZone"] == "Europe/London"
    assert event["times"]["start"] is None


async def test_create_refused(client, world):
    """All errors of a new event are returned at once."""
    given = {
        "title": "x" * 201,
        "centre": {"reference": "nowhere"},
        "capacityMaximum": 0,
        "modules": [{"id": world.room}],
        "details": {"durationQuantity": 0, "distribution": {"code": "x" * 4001}},
    }

    payload = await client.of(CREATE, input=given)

    assert payload["event"] is None
    assert [(e["code"], ".".join(e["path"])) for e in payload["errors"]] == [
        ("NOT_FOUND", "input.centre"),
        ("INVALID_VALUE", "input.modules.0"),
        ("STRING_LENGTH", "input.title"),
        ("OUT_OF_RANGE", "input.capacityMaximum"),
        ("OUT_OF_RANGE", "input.details.durationQuantity"),
        ("STRING_LENGTH", "input.details.distribution.code"),
    ]


async def test_left_out_differs_from_null(client, world):
    """In an update, an omitted field stays, a null clears it, and a value replaces it."""
    details = {"summary": "S", "content": "C", "distribution": {"code": "D", "status": "x"}}
    await client.of(UPDATE, input={"eventId": world.event, "details": details})

    payload = await client.of(
        UPDATE,
        input={
            "eventId": world.event,
            "capacityMaximum": None,
            "registrationDeadline": None,
            "modules": None,
            "examType": "Module",
            "details": {"summary": None, "distribution": {"code": None}},
        },
    )

    event = payload["event"]
    assert payload["errors"] == []
    assert event["capacityMaximum"] is event["registrationDeadline"] is event["summary"] is None
    assert (event["examType"], event["examFormat"]) == ("Module", "Paper")
    assert (event["capacityMinimum"], event["content"]) == (2, "C")
    assert event["distribution"]["code"] is None
    assert event["distribution"]["status"] == "x"
    assert event["room"] == {"id": world.room}
    assert event["version"] == 3


async def test_a_null_for_all_of_the_distribution(client, world):
    """A null clears the complete distribution; a null for `details` changes nothing."""
    details = {"summary": "S", "distribution": DISTRIBUTION}
    await client.of(UPDATE, input={"eventId": world.event, "details": details})

    untouched = await client.of(UPDATE, input={"eventId": world.event, "details": None})
    cleared = await client.of(
        UPDATE, input={"eventId": world.event, "details": {"distribution": None}}
    )

    assert untouched["event"]["distribution"] == DISTRIBUTION
    assert untouched["event"]["version"] == 2
    assert cleared["event"]["distribution"] == dict.fromkeys(DISTRIBUTION)
    assert cleared["event"]["summary"] == "S"


async def test_a_null_for_what_is_never_null(client, world):
    """A null for a required field is refused, and nothing changes."""
    given = {"eventId": world.event, "title": None, "onDemand": None, "examType": None}

    payload = await client.of(UPDATE, input=given)

    assert payload["event"] is None
    told = [(error["code"], error["path"][-1]) for error in payload["errors"]]
    assert told == [("REQUIRED", "title"), ("REQUIRED", "onDemand")]
    assert (await client.of(EVENT, id=world.event))["examType"] == "Class"


async def test_stale(client, world):
    """An update of an outdated version is refused with the current version."""
    given = {"eventId": world.event, "title": "New", "expectedVersion": 2}

    [error] = (await client.of(UPDATE, input=given))["errors"]

    assert error == {
        "__typename": "StateError",
        "code": "STALE_BOOKING",
        "path": ["input", "expectedVersion"],
        "eventStatus": "SCHEDULED",
        "currentVersion": 1,
    }


async def test_cancel(client, world):
    """Cancelling an event cancels its bookings; repeating it changes nothing."""
    await client.of(BOOK, input={"candidate": {"reference": "P1"}, "event": {"id": world.event}})

    given = {"eventId": world.event, "message": "Flood"}
    first, second = [await client.of(CANCEL, input=given) for _ in range(2)]

    assert (first["affectedBookings"], second["affectedBookings"]) == (1, 0)
    assert first["event"] == second["event"]
    assert first["event"]["status"] == "CANCELLED"
    assert first["event"]["seats"]["state"] == "CLOSED"
    assert first["event"]["cancellation"] == {
        "reason": "OTHER",
        "message": "Flood",
        "cancelledAt": "2027-01-11T12:00:00Z",
        "cancelledBy": {"name": "admin", "proxyFor": None, "user": None},
        "onBehalf": True,
    }


async def test_update_moves_bookings(client, world):
    """Moving an event moves its bookings, and the payload counts them."""
    booked = await client.of(
        BOOK, input={"candidate": {"reference": "P1"}, "event": {"id": world.event}}
    )
    given = {"eventId": world.event, "start": "2027-03-02T09:00:00Z"}

    payload = await client.of(UPDATE, input=given)

    assert payload["errors"] == []
    assert payload["affectedBookings"] == 1
    assert payload["event"]["bookings"] == {"nodes": [booked["enrolment"]], "totalCount": 1}
    assert payload["event"]["seats"]["taken"] == 1


async def test_update_releases_lapsed_seats(client, made, world, clock):
    """An unpaid seat whose deadline has passed does not count when the capacity is lowered."""
    given = {"reference": "P2", "firstNames": "Cy", "lastName": "Cole", "moduleIds": [world.module]}
    await made("upsertCandidate", "candidate", **given)
    unpaid = {"responsibility": "CANDIDATE", "cost": {"amount": "10.00", "currency": "GBP"}}
    for reference, payment in (("P1", None), ("P2", unpaid)):
        booked = {"candidate": {"reference": reference}, "event": {"id": world.event}}
        payload = await client.of(BOOK, input={**booked, "payment": payment})
        assert payload["errors"] == []

    lowered = {"eventId": world.event, "capacityMaximum": 1, "capacityMinimum": None}
    [refused] = (await client.of(UPDATE, input=lowered))["errors"]
    clock.now += timedelta(days=2)
    payload = await client.of(UPDATE, input=lowered)

    assert (refused["__typename"], refused["code"]) == ("CapacityError", "OUT_OF_RANGE")
    assert payload["errors"] == []
    assert payload["event"]["seats"]["taken"] == 1


async def test_who_may(client, world):
    """Changing an event requires MANAGE_EVENTS."""
    marker = client.as_role(Role.MARKER)
    updated = await marker.of(UPDATE, input={"eventId": world.event, "title": "New"})
    cancelled = await marker.of(CANCEL, input={"eventId": world.event, "message": "No"})
    created = await marker.of(CREATE, input={"title": "New"})

    for payload in (updated, cancelled, created):
        assert payload["event"] is None
        assert [error["code"] for error in payload["errors"]] == ["FORBIDDEN"]


async def test_candidates(client, made, world):
    """`booked` lists candidates with a seat; on request, `eligible` lists those who could book
    one.
    """
    other = await made(
        "upsertCandidate",
        "candidate",
        reference="P2",
        firstNames="Cy",
        lastName="Cole",
        moduleIds=[world.module],
    )
    anatomy = await made("upsertModule", "module", reference="M2", name="Botany")
    await client.of(BOOK, input={"candidate": {"reference": "P1"}, "event": {"id": world.event}})

    async def asked(**variables):
        found = (await client.of(CANDIDATES, id=world.event, **variables))["candidates"]
        booked = [node["candidate"]["id"] for node in found["booked"]["nodes"]]
        assert found["booked"]["totalCount"] == len(booked)
        eligible = [node["id"] for node in found["eligible"]["nodes"]]
        assert found["eligible"]["totalCount"] == len(eligible)
        return booked, eligible

    assert await asked() == ([world.candidate], [])
    assert await asked(eligible=None) == ([world.candidate], [])
    assert await asked(eligible=True) == ([world.candidate], [other])
    assert (await asked(eligible=True, modules=[world.module]))[1] == [other]
    assert await asked(eligible=True, modules=[anatomy]) == ([], [])
    told = await client.errors(CANDIDATES, id=world.event, modules=[world.room])
    assert told == [("INVALID_VALUE", "moduleIds.0")]


async def test_status_follows_the_clock(client, world, clock):
    """An event is scheduled, then in progress, then completed."""
    document = "query ($id: ID!) { event(ref: {id: $id}) { status registrationOpen } }"
    seen = []
    for now in ((2, 28, 1), (3, 1, 9), (3, 1, 11)):
        month, day, hour = now
        clock.now = datetime(2027, month, day, hour, tzinfo=UTC)
        seen.append((await client.of(document, id=world.event))["status"])

    assert seen == ["SCHEDULED", "IN_PROGRESS", "COMPLETED"]
