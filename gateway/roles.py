"""The roles as a command line and a token name them."""

from typing import Final

from resolvers.vocabulary import Role

ROLE_NAMES: Final = {role.name.lower().replace("_", "-"): role for role in Role}

OF_USERS: Final = frozenset({Role.AGENT, Role.CANDIDATE})
"""The roles that have a scope only through a user: a token for them must name one."""
