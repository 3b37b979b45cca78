"""What documents can ask for in a world: found out by asking."""

from typing import Any, Final

import orjson

from resolvers.identity import global_id
from resolvers.viewer import Viewer
from tests.plan.both_ways import BothWays
from tests.plan.documents import Document, Known

LISTS: Final = {
    "enrolments": "Enrolment",
    "testSchedules": "TestSchedule",
    "candidates": "Candidate",
    "events": "Event",
    "centres": "Centre",
    "tests": "Test",
    "users": "User",
    "subjects": "Subject",
    "departments": "Department",
    "registrations": "Registration",
    "products": "Product",
    "agentOffices": "AgentOffice",
    "agentBookings": "AgentBooking",
    "bookings": None,
    "bookingChanges": "BookingChange",
}
REFERENCES: Final = {
    "Candidate": "reference",
    "Centre": "reference",
    "Test": "reference",
    "TestSchedule": "keycode",
}
"""What else than by an id each of these types is found by."""

NAMED: Final = {"Candidate": "candidates", "Centre": "centres", "Event": "events", "Test": "tests"}
INSIDE: Final = """{
  centres { nodes { rooms { id } } }
  tests(first: 100) { nodes { modules { id } forms { id } } }
  enrolments(first: 100) { nodes { payment { id } accommodations { id } organization { id } } }
  events(first: 50) { nodes { externalIds { system kind value } } }
  registrations(first: 30) { nodes { identifier } }
  candidates(search: "FULL") { nodes { externalIds { system kind value } } }
  notificationEndpoints { id }
  told: notificationEndpoints { deliveries(first: 20) { notificationDeliveries: nodes { id } } }
}"""
TOLD: Final = "{ notificationEndpoints { deliveries(first: 60) { edges { cursor } } } }"


async def known(both: BothWays, viewer: Viewer) -> Known:
    """What there is for an administrator."""
    ids: dict[str, list[str]] = {}
    cursors: dict[str, list[str]] = {}
    references: dict[str, list[str]] = {}
    for name, kind in LISTS.items():
        reference = REFERENCES.get(kind or "", "")
        answer = await _asked(
            both,
            viewer,
            f"{{ {name}(first: 60) {{ edges {{ cursor node {{ id {reference} }} }} }} }}",
        )
        edges = answer[name]["edges"]
        cursors[name] = [edge["cursor"] for edge in edges[::7]]
        if kind is not None:
            ids[kind] = [edge["node"]["id"] for edge in edges]
        if reference and kind is not None:
            references[kind] = [edge["node"][reference] for edge in edges] + ["no such", ""]
            references[kind] = [text for text in references[kind] if text is not None]
    inside = await _asked(both, viewer, INSIDE)
    told = (await _asked(both, viewer, TOLD))["notificationEndpoints"]
    cursors["deliveries"] = [
        edge["cursor"] for endpoint in told for edge in endpoint["deliveries"]["edges"][::7]
    ]
    external: list[dict[str, str]] = []
    _gather(inside, ids, external)
    ids["Organization"].append(global_id("Organization", viewer.organization_id))
    ids["Nothing"] = [global_id("Nothing", viewer.organization_id)]
    ids["Booking"] = [global_id("Booking", viewer.organization_id)]
    identifiers = [one["identifier"] for one in inside["registrations"]["nodes"]]
    return Known(ids, references, cursors, external[:20], identifiers)


async def _asked(both: BothWays, viewer: Viewer, text: str) -> Any:
    told = await both.by_core(Document(text), viewer)
    assert not told.errors, told.errors
    assert told.data is not None
    return orjson.loads(told.data)


KINDS: Final = {
    "rooms": "Room",
    "modules": "Module",
    "forms": "TestForm",
    "payment": "Payment",
    "accommodations": "Accommodation",
    "organization": "Organization",
    "notificationEndpoints": "NotificationEndpoint",
    "notificationDeliveries": "NotificationDelivery",
}


def _gather(value: Any, ids: dict[str, list[str]], external: list[dict[str, str]]) -> None:
    """The ids of what hangs on others, and the external ids."""
    if isinstance(value, list):
        for one in value:
            _gather(one, ids, external)
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        if name == "externalIds":
            external += inner
        elif name in KINDS:
            found = ids.setdefault(KINDS[name], [])
            for one in inner if isinstance(inner, list) else [inner]:
                if one is not None and one["id"] not in found:
                    found.append(one["id"])
        else:
            _gather(inner, ids, external)
