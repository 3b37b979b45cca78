"""Endpoints and deliveries in the API."""

from uuid import UUID

import pytest

from resolvers.notifications.commands import ClaimDeliveries, FinishDelivery
from resolvers.notifications.delivering import claim, finish
from resolvers.vocabulary import Role

ENDPOINT = "id topics channel url email active disabledReason"
DELIVERY = """id topic topicName status attempts lastHttpStatus lastError nextAttemptAt createdAt
  deliveredAt body"""

REGISTER = f"""mutation ($input: RegisterNotificationInput!) {{
registerNotification(input: $input) {{
  endpoint {{ {ENDPOINT} }} notificationKey errors {{ code path message }}
}} }}"""

ROTATE = """mutation ($id: ID!) { rotateNotificationKey(input: {endpointId: $id}) {
  endpoint { id } notificationKey errors { code path }
} }"""

REMOVE = """mutation ($id: ID!) { removeNotification(input: {endpointId: $id}) {
  deletedId errors { code path }
} }"""

REDELIVER = f"""mutation ($id: ID!) {{ redeliver(input: {{deliveryId: $id}}) {{
  delivery {{ {DELIVERY} }}
  errors {{ code path message ... on StateError {{ currentStatus allowedActions }} }}
}} }}"""

ENDPOINTS = f"""query ($status: DeliveryStatus) {{ notificationEndpoints {{ {ENDPOINT}
  deliveries(status: $status) {{ totalCount nodes {{ {DELIVERY} }} }}
}} }}"""

NODE = "query ($id: ID!) { node(id: $id) { id ... on NotificationDelivery { body } } }"

URL = "https://agency.example/told"
JSON = {"topics": ["EVENT_CREATED", "EVENT_CHANGED"], "channel": "HTTP_JSON", "url": URL}


@pytest.fixture
async def registered(client):
    payload = await client.of(REGISTER, input=JSON)
    assert payload["errors"] == []
    return payload


@pytest.fixture
def attempt(client, key_of):
    """Attempt the due deliveries of an endpoint; return their ids."""

    async def tried(endpoint, **came_of_it):
        of = {"organization_id": client.viewer.organization_id, "endpoint_id": key_of(endpoint)}
        [taken] = await client.storage.write(claim, [ClaimDeliveries(**of, lease_seconds=5)])
        for one in taken.facts["deliveries"]:
            held = {"delivery_id": UUID(one["id"]), "lease": UUID(one["lease"])}
            await client.storage.write(finish, [FinishDelivery(**of, **held, **came_of_it)])

    return tried


async def test_registered(client, registered):
    """The payload has the endpoint and its key, which is never returned again."""
    endpoint = {"email": None, "active": True, "disabledReason": None, **JSON}
    id = registered["endpoint"]["id"]
    assert registered["endpoint"] == {"id": id, **endpoint}
    assert len(registered["notificationKey"]) == 43

    result = await client.run(ENDPOINTS)

    [listed] = result.data["notificationEndpoints"]
    assert listed == {"id": id, **endpoint, "deliveries": {"totalCount": 0, "nodes": []}}
    assert registered["notificationKey"] not in str(result.data)


async def test_refused(client):
    """Invalid input is reported at its fields, and no key is returned."""
    wrong = {"topics": [], "channel": "HTTP_JSON", "url": "http://127.0.0.1/"}

    payload = await client.of(REGISTER, input=wrong)

    assert payload["endpoint"] is payload["notificationKey"] is None
    assert [(e["code"], e["path"]) for e in payload["errors"]] == [
        ("OUT_OF_RANGE", ["input", "topics"]),
        ("INVALID_VALUE", ["input", "url"]),
    ]


async def test_a_deployment_may_allow_this_machine(client):
    """For development, a deployment can allow its own machine."""
    here = {**JSON, "url": "http://127.0.0.1:8080/told"}

    payload = await client.locally().of(REGISTER, input=here)

    assert (payload["errors"], payload["endpoint"]["url"]) == ([], here["url"])


async def test_deliveries(client, registered, made, attempt, clock):
    """Deliveries are listed oldest first, all or by status, with their messages."""
    event = await made("createEvent", "event", title="One")
    await attempt(registered["endpoint"]["id"], status=503)
    await made("createEvent", "event", title="Two")

    [endpoint] = await client.of(ENDPOINTS)
    retrying, queued = endpoint["deliveries"]["nodes"]

    assert endpoint["deliveries"]["totalCount"] == 2
    assert (queued["status"], queued["attempts"], queued["lastError"]) == ("QUEUED", 0, None)
    body = retrying.pop("body")
    assert body.startswith('{"Topic":"Event:Created","Kind":"EVENT","Reference":"')
    assert f'"Id":"{event}","Version":1,"At":"2027-01-11T12:00:00Z"}}' in body
    assert retrying == {
        "id": retrying["id"],
        "topic": "EVENT_CREATED",
        "topicName": "Event:Created",
        "status": "RETRYING",
        "attempts": 1,
        "lastHttpStatus": 503,
        "lastError": "answered 503 instead of 200",
        "nextAttemptAt": "2027-01-11T12:00:10Z",
        "createdAt": "2027-01-11T12:00:00Z",
        "deliveredAt": None,
    }
    [endpoint] = await client.of(ENDPOINTS, status="QUEUED")
    assert endpoint["deliveries"]["totalCount"] == 1
    assert [one["id"] for one in endpoint["deliveries"]["nodes"]] == [queued["id"]]
    assert (await client.of(NODE, id=queued["id"]))["body"] == queued["body"]


async def test_an_email_about_what_was_given_up(client, made, attempt, clock):
    """The email about a failed delivery names the host and the reason."""
    payload = await client.of(REGISTER, input={**JSON, "email": "staff@example.org"})
    await made("createEvent", "event", title="One")
    clock.now = clock.now.replace(day=13)
    await attempt(payload["endpoint"]["id"], error="hung up")

    [endpoint] = await client.of(ENDPOINTS)

    failed, email = endpoint["deliveries"]["nodes"]
    assert (failed["status"], email["status"]) == ("FAILED", "QUEUED")
    assert "could not be delivered to agency.example" in email["body"]
    assert "hung up" in email["body"]


async def test_redelivered(client, registered, made, attempt, clock):
    """A delivered message is queued again under the same id, unless its endpoint is disabled."""
    await made("createEvent", "event", title="One")
    endpoint = registered["endpoint"]["id"]
    await attempt(endpoint, status=200)
    [delivered] = (await client.of(ENDPOINTS))[0]["deliveries"]["nodes"]
    assert (delivered["status"], delivered["deliveredAt"]) == ("DELIVERED", "2027-01-11T12:00:00Z")

    payload = await client.of(REDELIVER, id=delivered["id"])

    assert payload["errors"] == []
    assert (payload["delivery"]["id"], payload["delivery"]["status"]) == (delivered["id"], "QUEUED")
    await attempt(endpoint, status=410)
    [told] = await client.of(ENDPOINTS)
    assert (told["active"], told["disabledReason"]) == (False, "It answered 410 Gone.")
    payload = await client.of(REDELIVER, id=delivered["id"])
    assert payload["delivery"] is None
    [error] = payload["errors"]
    assert (error["code"], error["path"]) == ("ILLEGAL_STATE", ["input", "deliveryId"])
    assert (error["currentStatus"], error["allowedActions"]) == (None, [])


async def test_rotated_and_removed(client, registered):
    """Rotating returns a new key once; a removed endpoint is not found, and removing it again is no
    error.
    """
    id = registered["endpoint"]["id"]

    rotated = await client.of(ROTATE, id=id)

    assert rotated["endpoint"] == {"id": id}
    assert rotated["notificationKey"] != registered["notificationKey"]
    for _ in range(2):
        assert await client.of(REMOVE, id=id) == {"deletedId": id, "errors": []}
    assert await client.of(ENDPOINTS) == []
    assert await client.of(NODE, id=id) is None
    gone = {"code": "NOT_FOUND", "path": ["input", "endpointId"]}
    assert (await client.of(ROTATE, id=id))["errors"] == [gone]


async def test_ids_must_be_of_the_type(client, world):
    """An id of another type is refused."""
    for document, name in [
        (ROTATE, "endpointId"),
        (REMOVE, "endpointId"),
        (REDELIVER, "deliveryId"),
    ]:
        for id in (world.centre, "nothing"):
            [error] = (await client.of(document, id=id))["errors"]
            assert (error["code"], error["path"]) == ("INVALID_VALUE", ["input", name])


async def test_who_may_not(client, registered):
    """Without permission, the list is refused, a node is null, and commands are forbidden."""
    scheduler = client.as_role(Role.SCHEDULER)
    id = registered["endpoint"]["id"]

    assert await scheduler.errors(ENDPOINTS) == [("FORBIDDEN", "notificationEndpoints")]
    assert await scheduler.of(NODE, id=id) is None
    for document in (ROTATE, REMOVE, REDELIVER):
        payload = await scheduler.of(document, id=id)
        assert payload["errors"][0]["code"] == "FORBIDDEN"
