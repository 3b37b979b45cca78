"""The queries of tests."""

from resolvers.storage.tables import Test as TestRow
from resolvers.tests.reads import (
    SUBJECTS_BY_NAME,
    TESTS_BY_NAME,
    subjects_count,
    subjects_page,
    tests_count,
    tests_page,
)
from schema.grammar.context import Info
from schema.grammar.declaring import object_type
from schema.grammar.found import found
from schema.grammar.lists import searchable
from schema.grammar.lookup import named
from schema.grammar.references import REF
from schema.tests.types import Subject, Test


@object_type
class TestQueries:
    subjects = searchable(
        SUBJECTS_BY_NAME,
        Subject,
        subjects_page,
        subjects_count,
        description="Subjects of the organization, sorted by name.",
    )

    @found(description="A test. Null if it does not exist or you may not see it.")
    async def test(self, info: Info, ref: REF) -> Test | None:
        return await named(info, TestRow, ref)

    all_tests = searchable(
        TESTS_BY_NAME,
        Test,
        tests_page,
        tests_count,
        name="tests",
        description="Tests of the organization, sorted by name.",
    )
