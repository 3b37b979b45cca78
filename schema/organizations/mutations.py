"""The mutations of organizations, and their payloads."""

import strawberry

from resolvers.organizations.settings import update_settings
from resolvers.organizations.users import upsert_users
from schema.grammar.commands import submit
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.fields import attribute
from schema.grammar.payloads import CommandPayload, payload_type, result_of, written
from schema.grammar.upserts import upsert
from schema.organizations.inputs import UpdateSettingsInput, UpsertUserInput
from schema.organizations.types import SiteSettings, User


@payload_type(description="Result of updateSettings.")
class SettingsPayload(CommandPayload):
    settings: SiteSettings | None = attribute(
        description="The organization's settings with their new values. Null if there are errors."
    )


@object_type
class OrganizationMutations:
    upsert_user = upsert(
        User,
        UpsertUserInput,
        upsert_users,
        description="Creates a user, or updates the one with the same reference. Needs "
        "MANAGE_USERS.",
    )

    @strawberry.mutation(description="Changes the organization's settings. Needs MANAGE_SETTINGS.")
    async def update_settings(
        self, info: Info, input: UpdateSettingsInput
    ) -> SettingsPayload | None:
        answer = await submit(info, update_settings, input)
        organization = await written(info, "Organization", answer)
        return SettingsPayload(
            settings=None if organization is None else SiteSettings.of(organization.row),
            **result_of(answer),
        )
