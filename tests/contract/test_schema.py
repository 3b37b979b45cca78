"""The printed schema is the committed one: whoever changes the contract sees it in the diff."""

from pathlib import Path

from graphql import build_schema as parsed
from graphql.utilities import find_breaking_changes

import schema

COMMITTED = Path(schema.__file__).parent / "schema.graphql"
HOW_TO = "if it is meant: booking-gateway schema > schema/schema.graphql"


def test_nothing_is_broken():
    """Fields are added, not changed: what was there is still there, and means the same."""
    before, now = parsed(COMMITTED.read_text()), parsed(schema.build_schema().as_str())

    broken = [change.description for change in find_breaking_changes(before, now)]

    assert broken == [], HOW_TO


def test_the_committed_schema_is_the_printed_one():
    """`schema/schema.graphql` is what the gateway prints."""
    printed = schema.build_schema().as_str().strip()

    assert COMMITTED.read_text().strip() == printed, HOW_TO
