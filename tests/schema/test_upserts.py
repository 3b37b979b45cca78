"""Upserts create, update or refuse; the payload shows the resulting object."""

import pytest
from graphql import GraphQLInputObjectType, get_named_type

from resolvers.vocabulary import Role

UPSERT = """mutation ($input: UpsertCandidateInput!) { upsertCandidate(input: $input) {
  candidate { id email address { line1 } centres { id } } created
  errors { __typename code message path httpStatus
    ... on InputError { fieldName minLength maxLength allowedValues }
    ... on ConflictError { conflicting { id } }
    ... on NotFoundError { objectType identifier }
    ... on PermissionError { required missingScope } }
} }"""

UPDATE_SETTINGS = """mutation ($input: UpdateSettingsInput!) { updateSettings(input: $input) {
  settings { windowBufferHours examTypes conflictPolicy allowResitAfterPass }
  errors { code path }
} }"""

TEST = """mutation ($input: UpsertTestInput!) { upsertTest(input: $input) {
  test { languages breakMinutes maxAttempts forms { code name published } } created
  errors { code path }
} }"""

USER = """mutation ($input: UpsertUserInput!) { upsertUser(input: $input) {
  user { active role centres { id } } errors { code } } }"""
OFFICE = """mutation ($input: UpsertAgentOfficeInput!) { upsertAgentOffice(input: $input) {
  agentOffice { active } errors { code } } }"""
PRODUCT = """mutation ($input: UpsertProductInput!) { upsertProduct(input: $input) {
  product { active } errors { code } } }"""
INVIGILATED = """mutation ($input: UpsertTestInput!) { upsertTest(input: $input) {
  test { requiresInvigilation forms { published } } errors { code } } }"""

ANNA = {"reference": "P9", "firstNames": "Anna", "lastName": "Lee"}


async def test_created_then_updated(client):
    """A new reference creates a candidate; a known one updates it, and the payload shows the
    result.
    """
    first = await client.of(UPSERT, input={**ANNA, "email": "a@example.org"})
    second = await client.of(UPSERT, input={**ANNA, "address": {"country": "GB"}})

    assert first["errors"] == second["errors"] == []
    assert (first["created"], second["created"]) == (True, False)
    assert first["candidate"]["address"] is None
    assert second["candidate"] == {
        **first["candidate"],
        "email": "a@example.org",
        "address": {"line1": None},
    }


async def test_a_list_replaces(client, world):
    """A list replaces the previous one; an omitted or null list changes nothing."""
    given = {"reference": "P1", "firstNames": "Ada", "lastName": "Byron"}

    for value in ({}, {"centreIds": None}):
        payload = await client.of(UPSERT, input={**given, **value})
        assert payload["candidate"]["centres"] == [{"id": world.centre}]
    payload = await client.of(UPSERT, input={**given, "centreIds": []})
    assert payload["candidate"]["centres"] == []


async def test_refused_with_every_mistake(client, world):
    """Each error names its path in the input, and nothing is created."""
    payload = await client.of(
        UPSERT,
        input={
            **ANNA,
            "lastName": "",
            "email": "nobody",
            "address": {"line1": "x"},
            "centreIds": ["nonsense", world.subject],
        },
    )

    assert payload["candidate"] is None
    assert not payload["created"]
    told = [(e["__typename"], e["code"], ".".join(e["path"])) for e in payload["errors"]]
    assert told == [
        ("InputError", "STRING_LENGTH", "input.lastName"),
        ("InputError", "INVALID_EMAIL", "input.email"),
        ("InputError", "REQUIRED", "input.address.country"),
        ("InputError", "INVALID_VALUE", "input.centreIds.0"),
        ("InputError", "INVALID_VALUE", "input.centreIds.1"),
    ]
    assert payload["errors"][0]["maxLength"] == 200
    assert payload["errors"][0]["httpStatus"] == 400


async def test_refused_for_a_key_of_another(client, world):
    """An external id of another object is a conflict."""
    taken = {"system": "SHIFT_IQ_V1", "kind": "venue", "value": "v-1"}

    payload = await client.of(UPSERT, input={**ANNA, "externalIds": [taken]})

    [error] = payload["errors"]
    assert (error["__typename"], error["code"]) == ("ConflictError", "ALREADY_EXISTS")
    assert error["path"] == ["input", "externalIds", "0"]
    assert error["conflicting"] == []


async def test_refused_without_permission(client):
    """Without the permission, the refusal names it."""
    payload = await client.as_role(Role.MARKER).of(UPSERT, input=ANNA)

    [error] = payload["errors"]
    assert (error["__typename"], error["required"]) == ("PermissionError", "MANAGE_CANDIDATES")
    assert error["missingScope"] is None


async def test_what_was_written_is_shown_to_its_writer(client, world, key_of):
    """A candidate that leaves the writer's scope is returned in the payload, and only there."""
    scheduler = client.confined_to(Role.SCHEDULER, subjects={key_of(world.subject)})
    node = "query ($id: ID!) { node(id: $id) { id } }"

    made = await scheduler.of(UPSERT, input={**ANNA, "subjectIds": [world.subject]})
    candidate = made["candidate"]
    seen = await scheduler.of(node, id=candidate["id"])
    left = await scheduler.of(UPSERT, input={**ANNA, "subjectIds": []})

    assert made["errors"] == left["errors"] == []
    assert seen["id"] == left["candidate"]["id"] == candidate["id"]
    assert await scheduler.of(node, id=candidate["id"]) is None


async def test_settings(client):
    """Given settings change; a list replaces the previous one, and other settings stay."""
    given = {"windowBufferHours": 6, "examTypes": ["Class", "Class", "Module"]}

    payload = await client.of(UPDATE_SETTINGS, input=given)

    assert payload == {
        "settings": {
            "windowBufferHours": 6,
            "examTypes": ["Class", "Module"],
            "conflictPolicy": "REJECT",
            "allowResitAfterPass": True,
        },
        "errors": [],
    }


async def test_settings_refused(client):
    """A setting out of range is refused, and no setting changes."""
    payload = await client.of(UPDATE_SETTINGS, input={"windowBufferHours": 169})

    error = {"code": "OUT_OF_RANGE", "path": ["input", "windowBufferHours"]}
    assert payload == {"settings": None, "errors": [error]}


async def test_a_test_and_its_forms(client, world):
    """The forms replace the previous forms; an omitted field stays unless it has a default."""
    given = {"reference": "T1", "name": "Anatomy", "durationMinutes": 60}

    first = await client.of(TEST, input={**given, "breakMinutes": 5})
    forms = [{"code": "F1", "name": "One", "published": False}, {"code": "F2", "name": "Two"}]
    second = await client.of(TEST, input={**given, "forms": forms})

    assert first["test"]["breakMinutes"] == 5
    assert [form["code"] for form in first["test"]["forms"]] == ["F1"]
    assert second["test"]["breakMinutes"] == 0
    assert second["test"]["maxAttempts"] == 3
    assert second["test"]["languages"] == ["en", "cy"]
    assert second["test"]["forms"] == [
        {"code": "F1", "name": "One", "published": False},
        {"code": "F2", "name": "Two", "published": True},
    ]


@pytest.mark.parametrize(
    ("mutation", "given"),
    [
        ("upsertCentre", {"reference": "", "name": "N", "timeZone": "Europe/London"}),
        ("upsertRoom", {"centre": {"reference": "?"}, "name": "R", "capacity": 1}),
        ("upsertDepartment", {"name": ""}),
        ("upsertSubject", {"reference": "", "name": "N"}),
        ("upsertModule", {"reference": "", "name": "N"}),
        ("upsertUser", {"reference": "", "name": "N", "role": "ADMIN"}),
    ],
)
async def test_refusals_are_data(client, mutation, given):
    """A refusal is in the payload's errors, and its object is null."""
    name = mutation.removeprefix("upsert")
    payload = await client.of(
        f"""mutation ($input: Upsert{name}Input!) {{ {mutation}(input: $input) {{
            {name.lower()} {{ id }} created errors {{ code }}
        }} }}""",
        input=given,
    )

    assert payload[name.lower()] is None
    assert not payload["created"]
    assert len(payload["errors"]) == 1


async def test_second_mutation_sees_the_first(client):
    """Mutations of one document run in order; each payload is read after its own write."""
    document = """mutation {
      one: upsertDepartment(input: {name: "Arts"}) { department { id } created }
      two: upsertDepartment(input: {name: "Arts"}) { department { id } created }
    }"""

    result = await client.run(document)

    assert result.errors is None
    one, two = result.data["one"], result.data["two"]
    assert one["department"] == two["department"]
    assert (one["created"], two["created"]) == (True, False)


@pytest.mark.parametrize(
    ("document", "known_by", "withdrawn"),
    [
        (USER, {"reference": "U9", "name": "Ann", "role": "ADMIN"}, {"active": False}),
        (OFFICE, {"code": "1", "name": "Madrid", "agency": "Study Abroad"}, {"active": False}),
        (PRODUCT, {"code": "1", "kind": "COURSE", "name": "English"}, {"active": False}),
        (
            INVIGILATED,
            {"reference": "T9", "name": "Law", "durationMinutes": 60},
            {"requiresInvigilation": True},
        ),
    ],
)
async def test_rights_do_not_come_back_through_a_default(client, document, known_by, withdrawn):
    """An upsert that omits a withdrawn right, or sends null, does not restore it."""
    await client.of(document, input={**known_by, **withdrawn})

    for omitted in ({}, dict.fromkeys(withdrawn)):
        payload = await client.of(document, input={**known_by, **omitted})
        [row] = [value for name, value in payload.items() if name != "errors"]
        assert payload["errors"] == []
        assert {name: row[name] for name in withdrawn} == withdrawn


async def test_a_form_stays_unpublished(client):
    """A list of forms without `published` does not republish a withdrawn form."""
    test = {"reference": "T9", "name": "Law", "durationMinutes": 60}
    form = {"code": "F1", "name": "One"}

    for published in ({}, {"published": False}, {}, {"published": None}):
        payload = await client.of(INVIGILATED, input={**test, "forms": [{**form, **published}]})

    assert payload["test"]["forms"] == [{"published": False}]


def test_no_upsert_turns_anything_on_by_default(schema):
    """No upsert input has a field, at any depth, that defaults to true."""
    fields = schema._schema.mutation_type.fields
    upserts = [field for name, field in fields.items() if name.startswith(("upsert", "offer"))]

    inputs = {get_named_type(field.args["input"].type) for field in upserts}
    for found in list(inputs):
        parts = (get_named_type(part.type) for part in found.fields.values())
        inputs |= {part for part in parts if isinstance(part, GraphQLInputObjectType)}

    assert len(upserts) >= 11
    for found in inputs:
        on = [name for name, part in found.fields.items() if part.default_value is True]
        assert on == [], found.name
