"""Fixtures that run documents against the complete schema on a real database."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import UUID

import pytest
import strawberry
from graphql import ExecutionResult

from gateway.export_addresses import ExportAddresses
from resolvers.identity import parse_global_id
from resolvers.storage import Storage
from resolvers.viewer import PERMISSIONS, Scope, Viewer
from resolvers.vocabulary import Role
from schema import build_schema
from schema.grammar.context import Context, Watch
from tests.schema.examples import CANDIDATE, EVENT


class NoFeed:
    """A feed for operations that do not subscribe."""

    def watch(self, organization_id: UUID) -> Watch:
        raise AssertionError(organization_id)

    async def turn(self) -> None:
        raise AssertionError


@dataclass(frozen=True)
class Client:
    """A client that runs documents as one viewer."""

    schema: strawberry.Schema
    storage: Storage
    viewer: Viewer
    local_notifications: bool = False

    async def run(self, document: str, **variables: Any) -> ExecutionResult:
        exports = ExportAddresses("a secret of thirty-two bytes, or more", self.storage.clock)
        context = Context(
            viewer=self.viewer,
            storage=self.storage,
            feed=NoFeed(),
            exports=exports,
            local_notifications=self.local_notifications,
        )
        result = await self.schema.execute(
            document, variable_values=variables, context_value=context
        )
        return cast(ExecutionResult, result)

    async def of(self, document: str, **variables: Any) -> Any:
        """Return the data of the document's only root field; fail on errors."""
        result = await self.run(document, **variables)
        assert result.errors is None, result.errors
        assert result.data is not None
        [answer] = result.data.values()
        return answer

    async def errors(self, document: str, **variables: Any) -> list[tuple[str, str]]:
        """Return the code and path of each refusal."""
        result = await self.run(document, **variables)
        refusals: list[Any] = [error.original_error for error in result.errors or ()]
        return [(refusal.code.value, ".".join(refusal.path)) for refusal in refusals]

    def seeing(self, **values: Any) -> "Client":
        """The same client as another viewer."""
        return replace(self, viewer=replace(self.viewer, **values))

    def locally(self) -> "Client":
        """Return the same client in a deployment that may send to its own machine."""
        return replace(self, local_notifications=True)

    def as_role(self, role: Role) -> "Client":
        """Return a client with this role and no restriction within the organization."""
        return self.seeing(role=role, permissions=PERMISSIONS[role])

    def confined_to(
        self,
        role: Role,
        *,
        candidate: UUID | None = None,
        marker: UUID | None = None,
        **groups: Iterable[UUID],
    ) -> "Client":
        """Return a client with this role and this scope."""
        sets = {name: frozenset(keys) for name, keys in groups.items()}
        scope = Scope(candidate=candidate, marker=marker, **sets)
        return self.as_role(role).seeing(scope=scope)


@pytest.fixture(scope="session")
def schema() -> strawberry.Schema:
    return build_schema()


@pytest.fixture
def client(schema: strawberry.Schema, storage: Storage, viewer: Viewer) -> Client:
    """A client of an administrator."""
    return Client(schema, storage, viewer)


@pytest.fixture
def key_of() -> Callable[[str], UUID]:
    """Return the key in a global id."""

    def key(id: str) -> UUID:
        parsed = parse_global_id(id)
        assert parsed is not None
        return parsed[1]

    return key


Made = Callable[..., Awaitable[str]]


@pytest.fixture
def made(client: Client) -> Made:
    """Run a mutation that must succeed; return the global id of the object in its payload."""

    async def run(mutation: str, field: str, **given: Any) -> str:
        kind = mutation[0].upper() + mutation[1:]
        document = f"""mutation ($input: {kind}Input!) {{
            {mutation}(input: $input) {{ {field} {{ id }} errors {{ code message path }} }}
        }}"""
        payload = await client.of(document, input=given)
        assert payload["errors"] == []
        return str(payload[field]["id"])

    return run


@dataclass(frozen=True)
class World:
    """The global ids of one object of each type, all related."""

    centre: str
    room: str
    subject: str
    module: str
    test: str
    department: str
    candidate: str
    user: str
    event: str


@pytest.fixture
async def world(made: Made) -> World:
    subject = await made("upsertSubject", "subject", reference="S1", name="Medicine")
    module = await made("upsertModule", "module", reference="M1", name="Anatomy")
    department = await made("upsertDepartment", "department", name="Arts")
    centre = await made(
        "upsertCentre",
        "centre",
        reference="C1",
        name="York",
        timeZone="Europe/London",
        city="York",
        country="GB",
        isSchool=True,
        address={"line1": "2 High St", "country": "GB"},
        minimumAge=16,
        subjectIds=[subject],
        externalIds=[{"system": "SHIFT_IQ_V1", "kind": "venue", "value": "v-1"}],
    )
    room = await made("upsertRoom", "room", centre={"id": centre}, name="Hall", capacity=4)
    form = {"code": "F1", "name": "Form one", "language": "en"}
    test = await made(
        "upsertTest",
        "test",
        reference="T1",
        name="Anatomy test",
        subject={"id": subject},
        durationMinutes=90,
        maxAttempts=3,
        languages=["cy"],
        modules=[{"reference": "M1"}],
        forms=[form],
    )
    candidate = await made(
        "upsertCandidate",
        "candidate",
        **CANDIDATE,
        centreIds=[centre],
        subjectIds=[subject],
        departmentIds=[department],
        moduleIds=[module],
    )
    user = await made(
        "upsertUser",
        "user",
        reference="U1",
        name="Cleo",
        email="cleo@example.org",
        role="CANDIDATE",
        mayMark=True,
        centreIds=[centre],
        subjectIds=[subject],
        candidate={"id": candidate},
    )
    event = await made("createEvent", "event", **EVENT, room={"id": room}, test={"reference": "T1"})
    return World(
        centre=centre,
        room=room,
        subject=subject,
        module=module,
        test=test,
        department=department,
        candidate=candidate,
        user=user,
        event=event,
    )
