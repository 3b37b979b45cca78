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
        description="Creates a subject, or updates the one with the same reference. "
        "Needs MANAGE_TESTS.",
    )

    upsert_module = upsert(
        Module,
        UpsertModuleInput,
        upsert_modules,
        description="Creates a module, or updates the one with the same reference. Needs "
        "MANAGE_TESTS.",
    )

    upsert_test = upsert(
        Test,
        UpsertTestInput,
        upsert_tests,
        description="Creates a test with its forms, or updates the one with the same "
        "subject and reference. Needs MANAGE_TESTS.",
        warnings="Contains BOOKINGS_KEEP_VALUES if bookings keep an earlier duration, "
        "breaks or invigilation, with their number. Otherwise empty.",
    )
