"""Which endpoints a viewer may see: all of the organization, or those of the viewer's user."""

import sqlalchemy as sa

from resolvers.storage.narrowing import UNRESTRICTED, Narrowing
from resolvers.storage.tables import NotificationEndpoint, columns
from resolvers.viewer import Viewer
from resolvers.vocabulary import Permission


def is_visible(viewer: Viewer, endpoint: NotificationEndpoint) -> bool:
    """Whether the viewer may see an endpoint; `visible_to` is the same rule in SQL."""
    if not viewer.may(Permission.MANAGE_NOTIFICATIONS):
        return False
    own = viewer.user_id is not None and endpoint.user_id == viewer.user_id
    return viewer.scope.everything or own


def visible_to(viewer: Viewer) -> Narrowing:
    """The endpoints that a viewer may see, without removed ones."""
    c = columns(NotificationEndpoint)
    return Narrowing("kept", lambda: c.removed_at.is_(None)) & owned_by(viewer)


def owned_by(viewer: Viewer) -> Narrowing:
    """The endpoints that a viewer may see or remove, including removed ones."""
    c = columns(NotificationEndpoint)
    if not viewer.may(Permission.MANAGE_NOTIFICATIONS):
        return Narrowing("nothing", sa.false)
    if viewer.scope.everything:
        return UNRESTRICTED
    if viewer.user_id is None:
        return Narrowing("nothing", sa.false)

    def own() -> sa.ColumnElement[bool]:
        return c.user_id == sa.bindparam("own_user", type_=c.user_id.type)

    return Narrowing("own", own, {"own_user": viewer.user_id})
