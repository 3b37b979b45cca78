"""Texts in their normal form, the folded forms that they are compared by, and sort keys.

Texts that were stored before are brought into their normal form. Two rows of a unique text can have
the same folded form then. Both keep the texts that they have: the row that is in the normal form,
or else the older one, is found under the folded form. Each other row is found only under its own
text, and only by its id if that text is not in the normal form, since requests are normalized. The
log names their keys.
"""

from alembic import op

from resolvers.storage.migrations import text_filling
from resolvers.storage.migrations.altering import altering
from resolvers.storage.migrations.text_filling import TABLES, Filled
from resolvers.storage.migrations.words import (
    document,
    drop_statistics,
    folded_statistics,
    index,
    sort_key,
    text,
)

revision = "0007"
down_revision = "0006"

FOLDED = 600
"""A folded form is up to three times as long as its text."""

OF_FEW_WORDS = (
    *("appointment_type", "billing_type", "calendar_color", "class_code", "distribution_code"),
    *("distribution_process", "distribution_status", "event_type", "exam_format", "exam_type"),
    *("last_change_type", "last_change_user", "publication_status", "requisition_status"),
    *("return_shipment_code", "return_shipment_condition", "scheduling_status", "source"),
    "venue_room",
)

BY_NAME = {
    "agent_office": "name",
    "candidate": None,
    "centre": "name",
    "event": "title",
    "product": "name",
    "subject": "name",
    "test": "name",
}
"""The tables whose lists had an index by name."""

SORTED = {*BY_NAME, "app_user", "department"}


def upgrade() -> None:
    for filled in TABLES:
        _add_columns(filled)
    text_filling.fill(op.get_bind())
    _index()
    drop_statistics("event", *OF_FEW_WORDS)
    folded_statistics("event", *OF_FEW_WORDS)


def _add_columns(filled: Filled) -> None:
    with altering(filled.table) as table:
        for name in filled.folded:
            if name == "email_folded":
                table.add(text(name, FOLDED, null=True))
            else:
                table.add(text(name, FOLDED), value="''")
        if filled.forms:
            table.add(document("folded_texts"), value="'{}'")
        if filled.sorted_by:
            table.add(sort_key("sort_key"), value="''")


def _index() -> None:
    for table, name in BY_NAME.items():
        op.drop_index(f"ix_{table}_{name or 'name'}", table)
    for table in sorted(SORTED):
        index(f"ix_{table}_sort_key", table, "organization_id", "sort_key", "id")
    for filled in TABLES:
        if filled.unique is not None and filled.table != "test":
            of, name = filled.scope, f"{filled.unique}_folded"
            columns = ("organization_id", *of, name)
            index(f"uq_{filled.table}_{name}", filled.table, *columns, unique=True)
    op.drop_index("ix_test_form_code", "test_form")
    index("ix_test_form_code_folded", "test_form", "organization_id", "code_folded")
    op.drop_index("ix_test_reference", "test")
    _index_tests()


def _index_tests() -> None:
    """A reference need be unique only inside a subject."""
    name, form = "uq_test_reference_folded", ("organization_id", "reference_folded")
    index("ix_test_reference_folded", "test", *form)
    index(name, "test", *form, where="subject_id is null", unique=True)
    index(
        f"{name}_in_subject",
        "test",
        *("organization_id", "subject_id", "reference_folded"),
        where="subject_id is not null",
        unique=True,
    )
