"""The names of roles on the command line and in tokens."""

from typing import Final

from resolvers.vocabulary import Role

ROLE_NAMES: Final = {role.name.lower().replace("_", "-"): role for role in Role}

OF_USERS: Final = frozenset({Role.AGENT, Role.CANDIDATE})
"""The roles whose scope comes from a user. A token for such a role must name a user."""
