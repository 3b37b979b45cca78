"""Which users a viewer may see: all of the organization, or only the viewer's own user."""

import sqlalchemy as sa

from resolvers.storage.narrowing import UNRESTRICTED, Narrowing
from resolvers.storage.tables import User, columns
from resolvers.viewer import Viewer


def users_visible_to(viewer: Viewer) -> Narrowing:
    if viewer.is_staff or viewer.scope.everything:
        return UNRESTRICTED

    def own() -> sa.ColumnElement[bool]:
        return columns(User).id == sa.bindparam("own", type_=columns(User).id.type)

    return Narrowing("own", own, {"own": viewer.user_id})
