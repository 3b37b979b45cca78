"""Every field of organizations, users, candidates, centres and tests."""

from resolvers.vocabulary import Permission, Role
from tests.schema.examples import CANDIDATE

ORGANIZATION = """{ viewer {
  actor { name proxyFor user { id } } role permissions
  centres { id } subjects { id } agentOffices { code } candidate { id }
  organization {
    id externalIds { value } name timeZone currency
    settings {
      testSchedulingOverMultipleDays purchaseOrderNumberForScheduling enforceTimesRequired
      windowBufferHours allowResitAfterPass minDaysBetweenAttempts cancelCutOffMinutes
      paymentDueHours conflictPolicy examTypes examFormats billingCodes
    }
  }
} }"""

CANDIDATE_FIELDS = """query ($id: ID!) { candidate(ref: {id: $id}) {
  id externalIds { value } reference referenceGenerated firstNames lastName fullName
  email telephone mobile dateOfBirth gender passportNumber passportIssuingCountry countryOfBirth
  nationality imageUrl groupIdentifiers
  address { line1 line2 city stateProvince postalCode country }
  emergencyContact { name phone relationship }
  departments { id name externalIds { value } } centres { id } subjects { id } modules { id }
  bookings { nodes { id } totalCount }
} }"""

CENTRE_FIELDS = """{ centre(ref: {external: {system: SHIFT_IQ_V1, kind: "venue", value: "v-1"}}) {
  id reference name timeZone city country isSchool minimumAge address { line1 city country }
  externalIds { system kind value }
  rooms { id name capacity centre { id } externalIds { value } }
  subjects { id reference name centres { id } externalIds { value } }
  events { nodes { id } edges { cursor node { title } } totalCount pageInfo { hasNextPage } }
} }"""

TEST_FIELDS = """{ test(ref: {reference: "T1"}) {
  id reference name subject { id } durationMinutes breakMinutes requiresInvigilation maxAttempts
  defaultLanguage languages allowsMarkers allowsModerators externalIds { value }
  modules { id reference name externalIds { value } }
  forms { id code name published publishedAt bilingual language externalIds { value } }
} }"""

USER_FIELDS = """{ users(search: "cle") { nodes {
  id reference name email role active mayMark mayModerate externalIds { value }
  centres { id } subjects { id } agentOffices { code } candidate { id }
} } }"""


async def test_viewer_and_organization(client, world):
    """A viewer sees their identity and their organization's settings."""
    found = await client.of(ORGANIZATION)

    assert found["actor"] == {"name": "admin", "proxyFor": None, "user": None}
    assert found["role"] == "ADMIN"
    assert found["permissions"] == sorted(permission.value for permission in Permission)
    assert found["centres"] == found["subjects"] == found["agentOffices"] == []
    assert found["candidate"] is None
    organization = found["organization"]
    assert organization["name"] == "Northfield Exams"
    assert (organization["timeZone"], organization["currency"]) == ("Europe/London", "GBP")
    assert organization["settings"] == {
        "testSchedulingOverMultipleDays": True,
        "purchaseOrderNumberForScheduling": False,
        "enforceTimesRequired": False,
        "windowBufferHours": 12,
        "allowResitAfterPass": True,
        "minDaysBetweenAttempts": 0,
        "cancelCutOffMinutes": 0,
        "paymentDueHours": 24,
        "conflictPolicy": "REJECT",
        "examTypes": [],
        "examFormats": [],
        "billingCodes": [],
    }


async def test_viewer_of_a_user(client, world, key_of):
    """A viewer who is a user sees that user and their scope."""
    scheduler = client.confined_to(
        Role.SCHEDULER, centres={key_of(world.centre)}, subjects={key_of(world.subject)}
    )

    found = await scheduler.seeing(user_id=key_of(world.user)).of(ORGANIZATION)

    assert found["actor"]["user"] == {"id": world.user}
    assert found["centres"] == [{"id": world.centre}]
    assert found["subjects"] == [{"id": world.subject}]
    candidate = client.confined_to(Role.CANDIDATE, candidate=key_of(world.candidate))
    assert (await candidate.of(ORGANIZATION))["candidate"] == {"id": world.candidate}


async def test_candidate(client, world):
    """A candidate has the given values and their related objects."""
    found = await client.of(CANDIDATE_FIELDS, id=world.candidate)

    address = {"line2": None, "stateProvince": None, "postalCode": None, "country": "GB"}
    assert found == {
        **CANDIDATE,
        "id": world.candidate,
        "externalIds": [],
        "referenceGenerated": False,
        "fullName": "Ada Byron",
        "address": {"line1": "1 High St", "city": "York", **address},
        "emergencyContact": {"name": "Ann", "phone": "3", "relationship": None},
        "departments": [{"id": world.department, "name": "Arts", "externalIds": []}],
        "centres": [{"id": world.centre}],
        "subjects": [{"id": world.subject}],
        "modules": [{"id": world.module}],
        "bookings": {"nodes": [], "totalCount": 0},
    }


async def test_personal_data_is_masked(client, world):
    """Without VIEW_PII, personal fields, and only those, are null."""
    known = await client.of(CANDIDATE_FIELDS, id=world.candidate)

    found = await client.as_role(Role.MARKER).of(CANDIDATE_FIELDS, id=world.candidate)

    masked = {name for name, value in found.items() if value != known[name]}
    assert masked == {
        "email",
        "telephone",
        "mobile",
        "dateOfBirth",
        "passportNumber",
        "passportIssuingCountry",
        "address",
        "emergencyContact",
        "imageUrl",
    }
    assert {found[name] for name in masked} == {None}


async def test_email_of_a_user_is_masked(client, world):
    """Without VIEW_PII a user's email is null."""
    [found] = (await client.as_role(Role.MARKER).of(USER_FIELDS))["nodes"]

    assert (found["name"], found["email"]) == ("Cleo", None)


async def test_centre(client, world):
    """A centre found by an external key has its rooms, subjects and events."""
    found = await client.of(CENTRE_FIELDS)

    [edge] = found["events"].pop("edges")
    assert edge["node"] == {"title": "Anatomy in spring"}
    assert found == {
        "id": world.centre,
        "reference": "C1",
        "name": "York",
        "timeZone": "Europe/London",
        "city": "York",
        "country": "GB",
        "isSchool": True,
        "minimumAge": 16,
        "address": {"line1": "2 High St", "city": None, "country": "GB"},
        "externalIds": [{"system": "SHIFT_IQ_V1", "kind": "venue", "value": "v-1"}],
        "rooms": [
            {
                "id": world.room,
                "name": "Hall",
                "capacity": 4,
                "centre": {"id": world.centre},
                "externalIds": [],
            }
        ],
        "subjects": [
            {
                "id": world.subject,
                "reference": "S1",
                "name": "Medicine",
                "centres": [{"id": world.centre}],
                "externalIds": [],
            }
        ],
        "events": {
            "nodes": [{"id": world.event}],
            "totalCount": 1,
            "pageInfo": {"hasNextPage": False},
        },
    }


async def test_test(client, world):
    """A test has its subject, modules, languages and forms; omitted fields have their defaults."""
    found = await client.of(TEST_FIELDS)

    [form] = found.pop("forms")
    assert form.pop("id")
    assert form == {
        "code": "F1",
        "name": "Form one",
        "published": True,
        "publishedAt": None,
        "bilingual": False,
        "language": "en",
        "externalIds": [],
    }
    assert found == {
        "id": world.test,
        "reference": "T1",
        "name": "Anatomy test",
        "subject": {"id": world.subject},
        "durationMinutes": 90,
        "breakMinutes": 0,
        "requiresInvigilation": False,
        "maxAttempts": 3,
        "defaultLanguage": "en",
        "languages": ["en", "cy"],
        "allowsMarkers": False,
        "allowsModerators": False,
        "externalIds": [],
        "modules": [{"id": world.module, "reference": "M1", "name": "Anatomy", "externalIds": []}],
    }


async def test_user(client, world):
    """A user is found by name, with their scope and their candidate."""
    [found] = (await client.of(USER_FIELDS))["nodes"]

    assert found == {
        "id": world.user,
        "reference": "U1",
        "name": "Cleo",
        "email": "cleo@example.org",
        "role": "CANDIDATE",
        "active": True,
        "mayMark": True,
        "mayModerate": False,
        "externalIds": [],
        "centres": [{"id": world.centre}],
        "subjects": [{"id": world.subject}],
        "agentOffices": [],
        "candidate": {"id": world.candidate},
    }
