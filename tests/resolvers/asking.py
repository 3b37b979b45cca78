"""Short ways to ask for what is done with bookings, and to count the statements that it takes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from resolvers.enrolments.commands import AssignResult, MoveEnrolment, RecordPayment
from resolvers.every_kind.accommodations import GrantAccommodation, RevokeAccommodation
from resolvers.every_kind.cancelling import CancelBooking
from resolvers.outcomes import Outcome
from resolvers.references import ByKey
from resolvers.refusals import Refused
from resolvers.storage import UnitOfWork
from resolvers.storage.read import Compiled
from resolvers.viewer import EVERYTHING, PERMISSIONS, Scope, Viewer
from resolvers.vocabulary import CancellationReason, EnrolmentResult, PaymentStatus, Role
from tests.resolvers.world import World


def named(values: dict[str, Any]) -> dict[str, Any]:
    """Keys as references; everything else as it is."""
    return {
        name: ByKey(value) if isinstance(value, UUID) else value for name, value in values.items()
    }


def moving(world: World, enrolment: UUID, **values: Any) -> MoveEnrolment:
    return MoveEnrolment(**{"viewer": world.viewer, "enrolment": ByKey(enrolment), **named(values)})


def cancelling(world: World, booking: UUID, **values: Any) -> CancelBooking:
    given = {"viewer": world.viewer, "reason": CancellationReason.ILLNESS, **named(values)}
    return CancelBooking(booking=ByKey(booking), **given)


def granting(world: World, booking: UUID, type: str = "extra-time", **values: Any) -> Any:
    return GrantAccommodation(
        **{"viewer": world.viewer, "booking": ByKey(booking), "type": type, **values}
    )


def revoking(world: World, booking: UUID, type: str = "extra-time", **values: Any) -> Any:
    return RevokeAccommodation(
        **{"viewer": world.viewer, "booking": ByKey(booking), "type": type, **values}
    )


def resulting(
    world: World, enrolment: UUID, result: EnrolmentResult = EnrolmentResult.FAIL, **values: Any
) -> AssignResult:
    given = {"viewer": world.viewer, "enrolment": ByKey(enrolment), **values}
    return AssignResult(result=result, **given)


async def paying(
    world: World, booking: UUID, status: PaymentStatus = PaymentStatus.PAID, **values: Any
) -> RecordPayment:
    reference = (await world.payment(booking)).reference
    return RecordPayment(
        **{"viewer": world.viewer, "reference": reference, "status": status, **values}
    )


def in_role(world: World, role: Role, scope: Scope = EVERYTHING) -> Viewer:
    """Somebody of the organization in a role."""
    return replace(
        world.viewer,
        role=role,
        name=role.lower(),
        key=f"{role}:{scope}",
        permissions=PERMISSIONS[role],
        scope=scope,
    )


def places(result: Outcome | Refused) -> list[tuple[str, str]]:
    """The codes and paths that a result was refused with; none if it was not."""
    if isinstance(result, Outcome):
        return []
    return [(refusal.code.value, ".".join(refusal.path)) for refusal in result.refusals]


def warned(result: Outcome | Refused) -> list[str]:
    """The codes of an outcome's warnings."""
    assert isinstance(result, Outcome), result
    return [warning.code for warning in result.warnings]


@dataclass
class Statements:
    """Counts what a run sends to the database, up to the commit; a bulk write is one statement."""

    counts: list[int] = field(default_factory=list)

    def of(self, run: Callable[..., Any]) -> Callable[..., Any]:
        def counted(work: UnitOfWork, commands: Sequence[Any]) -> Any:
            self.counts.append(0)
            work._connection = _Counting(work._connection, self)
            return run(work, commands)

        return counted

    async def needed(self, world: World, run: Any, commands: Sequence[Any]) -> int:
        """How many statements commands need that nobody refuses."""
        results = await world.storage.write(self.of(run), commands)
        assert all(isinstance(result, Outcome) for result in results), results
        return self.counts[-1]


@dataclass
class _Counting:
    connection: Any
    statements: Statements

    def fetch(self, statement: Compiled, values: list[Any]) -> Iterable[Any]:
        self.statements.counts[-1] += 1
        rows: Iterable[Any] = self.connection.fetch(statement, values)
        return rows

    def execute_many(self, statement: Compiled, values: Sequence[Any]) -> None:
        self.statements.counts[-1] += 1
        self.connection.execute_many(statement, values)

    def run(self, sql: str) -> None:
        self.connection.run(sql)

    def encode(self, model: Any, rows: Sequence[Any]) -> Any:
        return self.connection.encode(model, rows)
