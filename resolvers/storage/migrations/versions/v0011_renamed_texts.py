"""Unique texts that collided in migration 0007 and are not in their normal form are renamed.

`REF ` beside `ref` becomes `REF (2)`. The log names each row, its texts and the row that it
collides with.
"""

from alembic import op

from resolvers.storage.migrations import text_renaming

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    text_renaming.rename(op.get_bind())
