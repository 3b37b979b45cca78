"""The mutations of tests, and their payloads."""

from resolvers.tests.commands import upsert_modules, upsert_subjects, upsert_tests
from schema.grammar.declaring import object_type
from schema.grammar.upserts import upsert
from schema.tests.inputs import UpsertModuleInput, UpsertSubjectInput, UpsertTestInput
from schema.tests.types import Module, Subject, Test


@object_type
class TestMutations:
    upsert_subject = upsert(
        Subject,
        UpsertSubjectInput,
        upsert_subjects,
        description="Make or update a subject. Needs MANAGE_TESTS.",
    )

    upsert_module = upsert(
        Module,
        UpsertModuleInput,
        upsert_modules,
        description="Make or update a module. Needs MANAGE_TESTS.",
    )

    upsert_test = upsert(
        Test,
        UpsertTestInput,
        upsert_tests,
        description="Make or update a test, with its forms. Needs MANAGE_TESTS.",
        warnings="BOOKINGS_KEEP_VALUES with the number of live bookings that keep an earlier "
        "duration, share of the breaks or invigilation; empty without any.",
    )
