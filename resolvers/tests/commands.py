"""Commands on subjects, modules and tests: create or update by reference."""

from collections.abc import Sequence
from typing import Any

from resolvers import checks
from resolvers.links import SUBJECT_CENTRES, TEST_MODULES
from resolvers.listed import listed
from resolvers.outcomes import Outcome
from resolvers.permitted import requires
from resolvers.references import Ref
from resolvers.refusals import AmbiguousReference, Refusal, Refused
from resolvers.searching import search_text
from resolvers.storage.tables import Centre, Module, Subject, Test
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.tests.following import FollowingEvents
from resolvers.tests.forms import Form, Forms, check_forms
from resolvers.tests.languages import check_languages, language, with_default
from resolvers.upserts import CheckedCommand, Upsert, UpsertDefinition, check_named, given, upsert
from resolvers.values import frozen
from resolvers.vocabulary import Permission

MOST_ATTEMPTS = 100_000


@frozen(kw_only=True)
class UpsertSubject(Upsert):
    """What tests are about, known by its reference."""

    reference: str
    name: str
    centre_ids: tuple[Ref, ...] | None = None


@frozen(kw_only=True)
class UpsertModule(Upsert):
    """What ties tests and events to candidates, known by its reference."""

    reference: str
    name: str


@frozen(kw_only=True)
class UpsertTest(Upsert):
    """What is sat, known by its subject and its reference.

    `requires_invigilation` None keeps the current value; a new test does not require it.
    """

    reference: str
    name: str
    subject: Ref | None = None
    duration_minutes: int
    break_minutes: int = 0
    requires_invigilation: bool | None = None
    max_attempts: int | None = None
    default_language: str = "en"
    languages: tuple[str, ...] | None = None
    allows_markers: bool = False
    allows_moderators: bool = False
    modules: tuple[Ref, ...] | None = None
    forms: tuple[Form, ...] | None = None


@requires(Permission.MANAGE_TESTS)
def upsert_subjects(work: UnitOfWork, commands: Sequence[UpsertSubject]) -> list[Outcome | Refused]:
    """Create or update a subject for each command; a subject is known by its reference.

    Refusals: PermissionRefusal, WrongLength, Invalid, OutOfRange, NotFoundRefusal, AlreadyExists.
    """
    return upsert(work, commands, SUBJECT)


@requires(Permission.MANAGE_TESTS)
def upsert_modules(work: UnitOfWork, commands: Sequence[UpsertModule]) -> list[Outcome | Refused]:
    """Create or update a module for each command; a module is known by its reference.

    Refusals: PermissionRefusal, WrongLength, Invalid, OutOfRange, AlreadyExists.
    """
    return upsert(work, commands, MODULE)


@requires(Permission.MANAGE_TESTS)
def upsert_tests(work: UnitOfWork, commands: Sequence[UpsertTest]) -> list[Outcome | Refused]:
    """Create or update a test for each command, with its forms.

    A test is known by its subject and its reference `[001]`. Where the subject is left out, the
    only test of that reference is meant, of several the one without a subject. Events that follow
    the test take over its duration; a warning counts the bookings that keep earlier values.
    Refusals: PermissionRefusal, WrongLength, Invalid, OutOfRange, NotFoundRefusal,
    AmbiguousReference, AlreadyExists.
    """
    return upsert(work, commands, TEST)


def _check_test(command: UpsertTest) -> list[Refusal]:
    minutes, attempts = {"least": 1, "most": checks.MINUTES}, {"least": 1, "most": MOST_ATTEMPTS}
    breaks = {"least": 0, "most": checks.MINUTES}
    return [
        *check_named(command),
        *checks.violations(
            (checks.number, command.duration_minutes, "duration_minutes", minutes),
            (checks.number, command.break_minutes, "break_minutes", breaks),
            (checks.number, command.max_attempts, "max_attempts", attempts),
            (language, command.default_language, "default_language"),
        ),
        *check_languages(command.languages, command.default_language, "languages"),
        *check_forms(command.forms, command.external_ids, "forms"),
    ]


def _subject_values(command: UpsertSubject, _: Subject | None) -> dict[str, Any]:
    return {
        "reference": command.reference,
        "name": command.name,
        "search_text": search_text(command.name, command.reference),
    }


def _test_values(command: UpsertTest, before: Test | None) -> dict[str, Any]:
    languages = command.languages
    if languages is None:
        languages = () if before is None else before.languages
    return given(
        reference=command.reference,
        name=command.name,
        search_text=search_text(command.name, command.reference),
        duration_minutes=command.duration_minutes,
        break_minutes=command.break_minutes,
        requires_invigilation=command.requires_invigilation,
        max_attempts=command.max_attempts,
        default_language=command.default_language,
        languages=with_default(languages, command.default_language),
        allows_markers=command.allows_markers,
        allows_moderators=command.allows_moderators,
    )


def _same_test(asked: CheckedCommand[UpsertTest], rows: Sequence[Test]) -> Test | None:
    """The test of that subject, among those of that reference.

    Raises: AmbiguousReference, where no subject is named and several have such a test.
    """
    if "subject_id" in asked.one:
        rows = [row for row in rows if row.subject_id == asked.one["subject_id"]]
    elif len(rows) > 1:
        rows = [row for row in rows if row.subject_id is None]
        if not rows:
            raise AmbiguousReference("reference")
    return rows[0] if rows else None


SUBJECT: UpsertDefinition[UpsertSubject, Subject] = UpsertDefinition(
    model=Subject,
    identity=("reference",),
    check=check_named,
    values=_subject_values,
    many={"centre_ids": Centre},
    parts=(listed("centre_ids", SUBJECT_CENTRES, listed_back=True),),
)

MODULE: UpsertDefinition[UpsertModule, Module] = UpsertDefinition(
    model=Module,
    identity=("reference",),
    check=check_named,
    values=lambda command, _: {"reference": command.reference, "name": command.name},
)

TEST: UpsertDefinition[UpsertTest, Test] = UpsertDefinition(
    model=Test,
    identity=("reference",),
    check=_check_test,
    values=_test_values,
    one={"subject": ("subject_id", Subject)},
    many={"modules": Module},
    parts=(listed("modules", TEST_MODULES), Forms, FollowingEvents),
    choose=_same_test,
)
