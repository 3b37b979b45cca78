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


@object_type(description="Settings of an organization that determine the rules of booking.")
class SiteSettings(OverRow):
    row: strawberry.Private[Any]

    test_scheduling_over_multiple_days: bool = column(
        description="True if test schedules may have windows on several dates."
    )
    purchase_order_number_for_scheduling: bool = column(
        description="True if test schedules require a purchase order."
    )
    enforce_times_required: bool = column(
        description="True if `enforceTimes` is required when a test is scheduled."
    )
    window_buffer_hours: int = column(
        description="Buffer before the first and after the last window of a test "
        "schedule, in hours. Does not apply if the schedule enforces its "
        "times."
    )
    allow_resit_after_pass: bool = column(
        description="True if a candidate may take a test again after passing it."
    )
    min_days_between_attempts: int = column(
        description="Minimum number of days between two attempts at a test. 0 means no minimum."
    )
    cancel_cut_off_minutes: int = column(
        description="Minimum time between a cancellation and the start, in minutes. 0 "
        "means no limit."
    )
    payment_due_hours: int = column(
        description="Time that a candidate has to pay, in hours, unless the booking has its "
        "own due date."
    )
    conflict_policy: ConflictPolicy = column(
        description="What happens if a new booking overlaps another booking of the candidate."
    )
    exam_types: list[str] = column(
        description="Exam types that events may have. Empty if any is allowed."
    )
    exam_formats: list[str] = column(
        description="Exam formats that events may have. Empty if any is allowed."
    )
    billing_codes: list[str] = column(
        description="Billing codes that events may have. Empty if any is allowed."
    )


@object_type(
    description="An organization that uses the gateway, such as an awarding body. Its data "
    "is separate from that of all others."
)
class Organization(Node, Sourced):
    name: str = column(description="Name of the organization.")
    time_zone: TimeZone = column(description="Time zone for events and bookings without a centre.")
    currency: CurrencyCode = column(description="Currency of the organization.")
    settings: SiteSettings = embedded(
        description="Settings of the organization that determine the rules of booking."
    )


@object_type(description="A user of the gateway, such as a scheduler, an invigilator or a marker.")
class User(Node, Sourced):
    reference: str = column(description="Unique reference of the user.")
    name: str = column(description="Name of the user.")
    email: EmailAddress | None = column(
        mask=Permission.VIEW_PII, description="Email address of the user. Null without VIEW_PII."
    )
    role: Role = column(description="Role of the user. It determines the user's permissions.")
    active: bool = column(description="False if the user has no rights any more.")
    may_mark: bool = column(description="True if test schedules can name the user as marker.")
    may_moderate: bool = column(
        description="True if test schedules can name the user as moderator."
    )
    centres: list[Annotated["Centre", strawberry.lazy("schema.centres.types")]] = relation(
        "centres_of_user",
        description="Centres that the user sees, sorted by name. Empty if the user is "
        "not restricted by centre.",
    )
    subjects: list[Annotated["Subject", strawberry.lazy("schema.tests.types")]] = relation(
        "subjects_of_user",
        description="Subjects that the user sees, sorted by name. Empty if the user is "
        "not restricted by subject.",
    )
    agent_offices: list[Annotated["AgentOffice", strawberry.lazy("schema.products.types")]] = (
        relation(
            "agent_offices_of_user",
            description="Agent offices that the user books for, sorted by name.",
        )
    )
    candidate: Annotated["Candidate", strawberry.lazy("schema.candidates.types")] | None = relation(
        "candidate_by_id",
        key="candidate_id",
        description="The candidate that the user is. Null for other roles, or if you may "
        "not see the candidate.",
    )


@object_type(description="Who made a change: a user, an API key, an import or the gateway.")
class Actor(OverRow):
    row: strawberry.Private[Any]

    user: User | None = relation(
        "user_by_id",
        key="user_id",
        description="The user. Null if an API key, an import or the gateway made the change.",
    )
    name: str = column(description="Name at the time of the change.")
    proxy_for: str | None = column(
        "proxy", description="Person on whose behalf the change was made, as the caller stated."
    )


def actor(prefix: str, *, description: str) -> Any:
    """The actor, from the columns `_user_id`, `_name` and `_proxy` with that prefix."""
    return embedded(
        description=description,
        user_id=f"{prefix}_user_id",
        name=f"{prefix}_name",
        proxy=f"{prefix}_proxy",
    )


@object_type(description="The user behind the current token, with permissions and scope.")
class Viewer:
    domain: strawberry.Private[DomainViewer]

    @method(description="The user's name, and the user if the token belongs to one.")
    def actor(self, info: Info) -> Actor:
        return Actor.of(Renamed(self.domain, {"proxy": Fixed(None)}, info.context))

    @method(description="Organization whose data you see.")
    async def organization(self, info: Info) -> Organization:
        organization: Organization = await load_node(
            info, "Organization", self.domain.organization_id
        )
        return organization

    @method(description="Role behind the token. It determines your permissions.")
    def role(self) -> Role:
        return self.domain.role

    @method(
        description="Permissions that you have, sorted by name. Use them to show or hide features."
    )
    def permissions(self) -> list[Permission]:
        return sorted(self.domain.permissions)

    @method(
        description="Centres that you see, sorted by name. Empty if you are not restricted "
        "by centre."
    )
    async def centres(
        self, info: Info
    ) -> list[Annotated["Centre", strawberry.lazy("schema.centres.types")]]:
        return await _by_name(info, "Centre", self.domain.scope.centres)

    @method(
        description="Subjects that you see, sorted by name. Empty if you are not restricted "
        "by subject."
    )
    async def subjects(
        self, info: Info
    ) -> list[Annotated["Subject", strawberry.lazy("schema.tests.types")]]:
        return await _by_name(info, "Subject", self.domain.scope.subjects)

    @method(description="Agent offices that you book for, sorted by name.")
    async def agent_offices(
        self, info: Info
    ) -> list[Annotated["AgentOffice", strawberry.lazy("schema.products.types")]]:
        return await _by_name(info, "AgentOffice", self.domain.scope.agent_offices)

    @method(description="The candidate that you are. Null for all roles but CANDIDATE.")
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
