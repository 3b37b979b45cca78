"""Organizations, their settings and their users."""

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from resolvers.vocabulary import ConflictPolicy, Permission, Role
from schema.grammar.declaring import object_type
from schema.grammar.fields import OverRow, column, embedded, relation
from schema.grammar.node import Node, Sourced
from schema.grammar.scalars import CurrencyCode, EmailAddress, TimeZone

if TYPE_CHECKING:
    from schema.candidates.types import Candidate
    from schema.centres.types import Centre
    from schema.products.types import AgentOffice
    from schema.tests.types import Subject
from typing import TYPE_CHECKING

from resolvers.viewer import Viewer as DomainViewer
from schema.grammar.context import Info
from schema.grammar.fields import Fixed, Renamed
from schema.grammar.found import load_node, load_nodes
from schema.grammar.sources.methods import method

if TYPE_CHECKING:
    from schema.candidates.types import Candidate
    from schema.centres.types import Centre
    from schema.products.types import AgentOffice
    from schema.tests.types import Subject


@object_type(description="The rules that an organization has chosen.")
class SiteSettings(OverRow):
    row: strawberry.Private[Any]

    test_scheduling_over_multiple_days: bool = column(
        description="Whether the window of a test schedule may have several days."
    )
    purchase_order_number_for_scheduling: bool = column(
        description="Whether a test schedule needs a purchase order."
    )
    enforce_times_required: bool = column(
        description="Whether a test schedule must say if its times are enforced."
    )
    window_buffer_hours: int = column(
        description="How long before and after its window a test schedule is open."
    )
    allow_resit_after_pass: bool = column(
        description="Whether a test that was passed may be sat again."
    )
    min_days_between_attempts: int = column(
        description="Days between two attempts at a test; 0: no waiting time."
    )
    cancel_cut_off_minutes: int = column(
        description="How long before the start a booking can last be cancelled; 0: until the start "
        "and after it."
    )
    payment_due_hours: int = column(description="How long a candidate has to pay.")
    conflict_policy: ConflictPolicy = column(
        description="What happens to a booking at a time that the candidate has another."
    )
    exam_types: list[str] = column(description="The exam types that an event may have; empty: any.")
    exam_formats: list[str] = column(
        description="The exam formats that an event may have; empty: any."
    )
    billing_codes: list[str] = column(
        description="The billing codes that an event may have; empty: any."
    )


@object_type(description="Whose exams, people and rules these are.")
class Organization(Node, Sourced):
    name: str = column(description="Its name.")
    time_zone: TimeZone = column(description="The zone of what has no centre.")
    currency: CurrencyCode = column(description="What it counts in.")
    settings: SiteSettings = embedded(description="The rules that it has chosen.")


@object_type(
    description="Somebody who works with the gateway; marker and moderator of a test schedule are "
    "users."
)
class User(Node, Sourced):
    reference: str = column(description="What the user is known by.")
    name: str = column(description="The user's name.")
    email: EmailAddress | None = column(
        mask=Permission.VIEW_PII, description="Null where unknown, and without VIEW_PII."
    )
    role: Role = column(description="What the user may do.")
    active: bool = column(description="Whether the user may do anything.")
    may_mark: bool = column(description="Whether the user can be a marker.")
    may_moderate: bool = column(description="Whether the user can be a moderator.")
    centres: list[Annotated["Centre", strawberry.lazy("schema.centres.types")]] = relation(
        "centres_of_user", description="The centres in the user's scope, by name."
    )
    subjects: list[Annotated["Subject", strawberry.lazy("schema.tests.types")]] = relation(
        "subjects_of_user", description="The subjects in the user's scope, by name."
    )
    agent_offices: list[Annotated["AgentOffice", strawberry.lazy("schema.products.types")]] = (
        relation(
            "agent_offices_of_user", description="The agent offices in the user's scope, by name."
        )
    )
    candidate: Annotated["Candidate", strawberry.lazy("schema.candidates.types")] | None = relation(
        "candidate_by_id",
        key="candidate_id",
        description="Who the user is as a candidate; null for another role, or not yours to see.",
    )


@object_type(description="Who did something.")
class Actor(OverRow):
    row: strawberry.Private[Any]

    user: User | None = relation(
        "user_by_id",
        key="user_id",
        description="Null for what has no user: a key, an import, the gateway.",
    )
    name: str = column(description="The name at that time.")
    proxy_for: str | None = column(
        "proxy", description="On whose behalf, as the caller said; null where nobody said."
    )


def actor(prefix: str, *, description: str) -> Any:
    """The actor, from the columns `_user_id`, `_name` and `_proxy` with that prefix."""
    return embedded(
        description=description,
        user_id=f"{prefix}_user_id",
        name=f"{prefix}_name",
        proxy=f"{prefix}_proxy",
    )


@object_type(description="Who is asking, and what they may do and see.")
class Viewer:
    domain: strawberry.Private[DomainViewer]

    @method(description="Who it is.")
    def actor(self, info: Info) -> Actor:
        return Actor.of(Renamed(self.domain, {"proxy": Fixed(None)}, info.context))

    @method(description="Whose objects the viewer sees.")
    async def organization(self, info: Info) -> Organization:
        organization: Organization = await load_node(
            info, "Organization", self.domain.organization_id
        )
        return organization

    @method(description="What the permissions and the scope come from.")
    def role(self) -> Role:
        return self.domain.role

    @method(description="What the viewer may do, sorted by name.")
    def permissions(self) -> list[Permission]:
        return sorted(self.domain.permissions)

    @method(description="The centres that confine the viewer, by name; empty: none do.")
    async def centres(
        self, info: Info
    ) -> list[Annotated["Centre", strawberry.lazy("schema.centres.types")]]:
        return await _by_name(info, "Centre", self.domain.scope.centres)

    @method(description="The subjects that confine the viewer, by name; empty: none do.")
    async def subjects(
        self, info: Info
    ) -> list[Annotated["Subject", strawberry.lazy("schema.tests.types")]]:
        return await _by_name(info, "Subject", self.domain.scope.subjects)

    @method(description="The agent offices that confine the viewer, by name; empty: none do.")
    async def agent_offices(
        self, info: Info
    ) -> list[Annotated["AgentOffice", strawberry.lazy("schema.products.types")]]:
        return await _by_name(info, "AgentOffice", self.domain.scope.agent_offices)

    @method(description="The viewer as a candidate; null for everybody else.")
    async def candidate(
        self, info: Info
    ) -> Annotated["Candidate", strawberry.lazy("schema.candidates.types")] | None:
        key = self.domain.scope.candidate
        found: Candidate | None = None if key is None else await load_node(info, "Candidate", key)
        return found


async def _by_name(info: Info, name: str, keys: Any) -> list[Any]:
    """Return the existing objects with these keys, by name."""
    found = [node for node in await load_nodes(info, name, list(keys or ())) if node is not None]
    return sorted(found, key=lambda node: (node.row.name, node.row.id))
