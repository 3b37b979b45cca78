"""What can be asked about, and done to, organizations and users."""

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from resolvers.organizations.settings import UpdateSettings, update_settings
from resolvers.organizations.users import (
    USERS_BY_NAME,
    UpsertUser,
    upsert_users,
    users_count,
    users_page,
)
from resolvers.viewer import Viewer as DomainViewer
from resolvers.vocabulary import ConflictPolicy, Permission, Role
from schema.commands import ask
from schema.context import Info
from schema.declaring import input_type, object_type
from schema.errors import BookingError
from schema.fields import Fixed, Renamed, attribute, described
from schema.found import load_node, load_nodes
from schema.inputs import (
    EXTERNAL_IDS,
    ORIGIN,
    Input,
    OriginInput,
    external_ids_of_input,
    origin_of,
    values_given,
)
from schema.lists import searchable
from schema.organizations import Actor, Organization, SiteSettings, User
from schema.payloads import ERRORS, written
from schema.references import ExternalIdInput, RefInput, optional_ref, refs_of
from schema.sources.methods import method
from schema.upserts import upsert

if TYPE_CHECKING:
    from schema.candidates import Candidate
    from schema.centres import Centre
    from schema.products import AgentOffice
    from schema.tests import Subject


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
    ) -> list[Annotated["Centre", strawberry.lazy("schema.centres")]]:
        return await _by_name(info, "Centre", self.domain.scope.centres)

    @method(description="The subjects that confine the viewer, by name; empty: none do.")
    async def subjects(
        self, info: Info
    ) -> list[Annotated["Subject", strawberry.lazy("schema.tests")]]:
        return await _by_name(info, "Subject", self.domain.scope.subjects)

    @method(description="The agent offices that confine the viewer, by name; empty: none do.")
    async def agent_offices(
        self, info: Info
    ) -> list[Annotated["AgentOffice", strawberry.lazy("schema.products")]]:
        return await _by_name(info, "AgentOffice", self.domain.scope.agent_offices)

    @method(description="The viewer as a candidate; null for everybody else.")
    async def candidate(
        self, info: Info
    ) -> Annotated["Candidate", strawberry.lazy("schema.candidates")] | None:
        key = self.domain.scope.candidate
        found: Candidate | None = None if key is None else await load_node(info, "Candidate", key)
        return found


async def _by_name(info: Info, name: str, keys: Any) -> list[Any]:
    """The objects of these keys that there are, by name."""
    found = [node for node in await load_nodes(info, name, list(keys or ())) if node is not None]
    return sorted(found, key=lambda node: (node.row.name, node.row.id))


@input_type(description="Somebody who works with the gateway, known by the reference.")
class UpsertUserInput:
    reference: str = attribute(description="What the user is known by.")
    name: str = attribute(description="The user's name.")
    email: str | None = described("The user's email address.")
    role: Role = attribute(description="What the user may do.")
    active: bool | None = described(
        "Whether the user has any rights. Omitted or null: unchanged, so an inactive user stays "
        "inactive; a new user is active."
    )
    may_mark: bool = attribute(default=False, description="Whether the user can be a marker.")
    may_moderate: bool = attribute(
        default=False, description="Whether the user can be a moderator."
    )
    centre_ids: list[strawberry.ID] | None = described("The centres in scope; a list replaces.")
    subject_ids: list[strawberry.ID] | None = described("The subjects in scope; a list replaces.")
    agent_office_ids: list[strawberry.ID] | None = described(
        "The agent offices in scope, for the role AGENT; a list replaces."
    )
    candidate: RefInput | None = described("Who the user is, for the role CANDIDATE.")
    external_ids: list[ExternalIdInput] | None = described(EXTERNAL_IDS)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: DomainViewer) -> UpsertUser:
        return UpsertUser(
            viewer=viewer,
            **values_given(
                self,
                "centre_ids",
                "subject_ids",
                "agent_office_ids",
                "candidate",
                "external_ids",
                "origin",
            ),
            centre_ids=refs_of(self.centre_ids, "Centre"),
            subject_ids=refs_of(self.subject_ids, "Subject"),
            agent_office_ids=refs_of(self.agent_office_ids, "AgentOffice"),
            candidate=optional_ref(self.candidate, "Candidate"),
            external_ids=external_ids_of_input(self.external_ids),
            origin=origin_of(self.origin),
        )


@input_type(description="Other rules; what is left out stays as it is, a list replaces.")
class UpdateSettingsInput:
    test_scheduling_over_multiple_days: bool | None = described(
        "Whether the window of a test schedule may have several days."
    )
    purchase_order_number_for_scheduling: bool | None = described(
        "Whether a test schedule needs a purchase order."
    )
    enforce_times_required: bool | None = described(
        "Whether a test schedule must say if its times are enforced."
    )
    window_buffer_hours: int | None = described("From 0 to 168.")
    allow_resit_after_pass: bool | None = described(
        "Whether a test that was passed may be sat again."
    )
    min_days_between_attempts: int | None = described("From 0 to 3,650.")
    cancel_cut_off_minutes: int | None = described("From 0 to 525,600.")
    payment_due_hours: int | None = described("From 1 to 8,760.")
    conflict_policy: ConflictPolicy | None = described(
        "What happens to a booking at a time that the candidate has another."
    )
    exam_types: list[str] | None = described("The exam types that an event may have.")
    exam_formats: list[str] | None = described("The exam formats that an event may have.")
    billing_codes: list[str] | None = described("The billing codes that an event may have.")

    def to_command(self, viewer: DomainViewer) -> UpdateSettings:
        return UpdateSettings(viewer=viewer, **values_given(self))


@object_type(description="What became of a change of the settings.")
class SettingsPayload:
    settings: SiteSettings | None = attribute(description="As they are now; null when refused.")
    errors: list[BookingError] = attribute(description=ERRORS)


@object_type
class OrganizationQueries:
    @strawberry.field(description="Who you are to the gateway.")
    def viewer(self, info: Info) -> Viewer | None:
        return Viewer(domain=info.context.viewer)

    users = searchable(
        USERS_BY_NAME,
        User,
        users_page,
        users_count,
        description="The users of the organization, by name.",
    )


@object_type
class OrganizationMutations:
    upsert_user = upsert(
        User,
        UpsertUserInput,
        upsert_users,
        description="Make or update a user. Needs MANAGE_USERS.",
    )

    @strawberry.mutation(description="Change the organization's rules. Needs MANAGE_SETTINGS.")
    async def update_settings(
        self, info: Info, input: Input[UpdateSettingsInput]
    ) -> SettingsPayload | None:
        answer = await ask(info, update_settings, input)
        organization = await written(info, "Organization", answer)
        return SettingsPayload(
            settings=None if organization is None else SiteSettings.of(organization.row),
            errors=answer.errors,
        )
