"""The queries of organizations."""

import strawberry

from resolvers.organizations.users import USERS_BY_NAME, users_count, users_page
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.lists import searchable
from schema.organizations.types import User, Viewer


@object_type
class OrganizationQueries:
    @strawberry.field(
        description="The user behind the current token: role, permissions and what they may "
        "see. Start here when you log in."
    )
    def viewer(self, info: Info) -> Viewer | None:
        return Viewer(domain=info.context.viewer)

    users = searchable(
        USERS_BY_NAME,
        User,
        users_page,
        users_count,
        description="Users of the organization, sorted by name.",
    )
