"""Texts in input: normal forms, empty texts, ids, instants."""

import pytest

from resolvers.vocabulary import SourceSystem

CANDIDATE = """mutation ($input: UpsertCandidateInput!) { upsertCandidate(input: $input) {
  candidate { id reference lastName email nationality externalIds { value } } created
  errors { code path } } }"""
FIND = """query ($ref: RefInput!) { candidate(ref: $ref) { id } }"""
LITERAL = """mutation { upsertCandidate(input: {
  reference: "\\u00a0P9\\u3000", firstNames: "Zoe\\u0308", lastName: "Lee",
  email: "", nationality: ""
}) { candidate { reference firstNames email nationality } errors { code path } } }"""
SETTINGS = """mutation ($input: UpdateSettingsInput!) { updateSettings(input: $input) {
  settings { examTypes } errors { code path } } }"""
CREATE = """mutation ($input: CreateEventInput!) { createEvent(input: $input) {
  event { times { end localEnd } registrationDeadline } errors { code path message } } }"""
EVENTS = """query ($filter: EventFilter) { events(filter: $filter) { totalCount } }"""

ANNA = {"reference": "P9", "firstNames": "Anna", "lastName": "Lee"}
SHIFT_IQ_ID = "c4d81e72-5b06-4f3a-9d8c-0e6a2b7f0009"


async def test_a_reference_in_another_form_is_the_same(client):
    """Surrounding blanks and decomposed letters do not create a second candidate."""
    first = await client.of(CANDIDATE, input={**ANNA, "reference": "Zo\u00eb"})
    again = await client.of(CANDIDATE, input={**ANNA, "reference": "\u00a0Zoe\u0308 \u3000"})

    assert (first["created"], again["created"]) == (True, False)
    assert again["candidate"]["reference"] == "Zo\u00eb"
    found = await client.of(FIND, ref={"reference": " Zoe\u0308"})
    assert found == {"id": first["candidate"]["id"]}


async def test_literals_are_read_like_variables(client):
    """A text literal is normalized; an empty optional text is null."""
    payload = await client.of(LITERAL)

    assert payload == {
        "candidate": {
            "reference": "P9",
            "firstNames": "Zo\u00eb",
            "email": None,
            "nationality": None,
        },
        "errors": [],
    }


@pytest.mark.parametrize("blank", ["", " ", "\u200b", "\u3164", "\u0301"])
async def test_texts_without_a_visible_character_are_empty(client, blank):
    """An empty required text is refused by its length; an empty optional one is null and changes
    nothing.
    """
    kept = await client.of(CANDIDATE, input={**ANNA, "email": "a@example.org"})

    again = await client.of(CANDIDATE, input={**ANNA, "email": blank, "nationality": blank})
    refused = await client.of(CANDIDATE, input={**ANNA, "lastName": blank})

    assert again["candidate"] == kept["candidate"]
    assert refused["errors"] == [{"code": "STRING_LENGTH", "path": ["input", "lastName"]}]


@pytest.mark.parametrize("text", ["a\x1b", "a\x00b", "\ufffe1", "\ufdd0"])
async def test_ids_and_references_have_no_controls(client, text):
    """INVALID_VALUE names the field, in references too."""
    external = {"system": SourceSystem.EC_ENGLISH.name, "kind": "student", "value": text}

    payload = await client.of(
        CANDIDATE, input={**ANNA, "reference": text, "externalIds": [external]}
    )

    assert [(e["code"], ".".join(e["path"])) for e in payload["errors"]] == [
        ("INVALID_VALUE", "input.reference"),
        ("INVALID_VALUE", "input.externalIds.0.value"),
    ]
    assert await client.errors(FIND, ref={"reference": text}) == [
        ("INVALID_VALUE", "ref.reference")
    ]


@pytest.mark.parametrize("written", [SHIFT_IQ_ID.upper(), SHIFT_IQ_ID.replace("-", "")])
@pytest.mark.parametrize("braces", ["{}", "{{{}}}"])
async def test_a_uuid_of_shift_iq_is_one_id(client, written, braces):
    """A UUID in any case, without hyphens or in braces identifies the same candidate."""
    external = {"system": "SHIFT_IQ_V2", "kind": "learner", "value": braces.format(written)}

    payload = await client.of(CANDIDATE, input={**ANNA, "externalIds": [external]})

    assert payload["candidate"]["externalIds"] == [{"value": SHIFT_IQ_ID}]
    found = await client.of(FIND, ref={"external": {**external, "value": SHIFT_IQ_ID}})
    assert found == {"id": payload["candidate"]["id"]}


async def test_words_of_settings_count_once(client):
    """Words that differ only in case or surrounding blanks count once."""
    payload = await client.of(SETTINGS, input={"examTypes": ["Written ", "WRITTEN", "Oral"]})

    assert payload["settings"]["examTypes"] == ["Written", "Oral"]


@pytest.mark.parametrize("last", ["9999-12-31T23:59:59Z", "9999-12-31T12:59:59-11"])
async def test_the_last_instant_is_valid(client, world, last):
    """The last instant is valid as the end of an event and as a filter's limit, without
    overflow.
    """
    payload = await client.of(
        CREATE,
        input={
            "title": "Open",
            "kind": "CLASS",
            "centre": {"id": world.centre},
            "start": "2027-03-01T09:00:00+01",
            "end": last,
        },
    )

    assert payload["errors"] == []
    assert payload["event"]["times"]["end"] == "9999-12-31T23:59:59Z"
    for within in ({"end": {"eq": last}}, {"end": {"lte": last, "gte": last}}):
        assert (await client.of(EVENTS, filter=within))["totalCount"] == 1
