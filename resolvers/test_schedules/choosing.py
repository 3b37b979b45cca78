"""What the input of a new test schedule names and says, with every mistake in it at once."""

from resolvers.references import Ref
from resolvers.refusals import Refused, ValidationErrors
from resolvers.storage.tables import Candidate, Centre, Test, TestForm, User
from resolvers.test_schedules import rules
from resolvers.test_schedules.commands import BookTestSchedule
from resolvers.test_schedules.forms import automatic_form, require_form
from resolvers.test_schedules.preloaded import PreloadedBatch
from resolvers.test_schedules.windows import Dates, check_windows
from resolvers.values import frozen
from resolvers.vocabulary import AccessScope, Permission

PATHS = {AccessScope.CENTRE: "centre", AccessScope.SUBJECT: "subject", AccessScope.OWN: "candidate"}
"""Where in the input each association stands that a viewer may lack."""


@frozen
class ScheduleChoice:
    """What a command comes to, once nothing in its input is wrong."""

    candidate: Candidate
    centre: Centre
    test: Test
    dates: Dates
    enforced: bool
    invigilated: bool
    language: str
    tags: list[str]
    form: TestForm | None
    marker: User | None
    moderator: User | None


def choose(preloaded: PreloadedBatch, command: BookTestSchedule) -> ScheduleChoice:
    """What the input names, and every mistake in it at once. Raises: Refused."""
    viewer, stage = command.viewer, ValidationErrors()
    settings = preloaded.settings[viewer.organization_id]
    centre = stage.of(preloaded.centres.one, viewer, command.centre, "centre")
    test = _test(preloaded, command, stage)
    candidate = stage.of(preloaded.candidate, viewer, command.candidate, "candidate")
    if centre is not None and test is not None and not command.imported:
        named = {} if command.subject is not None else {AccessScope.SUBJECT: "test"}
        rules.check_scope(
            viewer.scope,
            Permission.SCHEDULE_TEST,
            stage,
            centre_id=centre.id,
            subject_id=test.subject_id,
            candidate_id=viewer.scope.candidate if candidate is None else candidate.id,
            paths={**PATHS, **named},
        )
    dates = Dates(command.start_date, command.end_date, command.start_time, command.end_time)
    possible = rules.check_dates(dates, settings, stage)
    if possible and centre is not None:
        check_windows(dates, centre.time_zone, stage)
    rules.check_adjustments(command, stage)
    tags = rules.tidy_tags(command.test_tags, stage)
    marker = _user(preloaded, command, command.marker, stage, "marker")
    moderator = _user(preloaded, command, command.moderator, stage, "moderator")
    stage.of(rules.check_purchase_order, command.purchase_order, settings)
    enforced = stage.of(rules.choose_enforced, command.enforce_times, settings)
    form = _form(preloaded, command, test, stage)
    if test is None:
        raise Refused(stage.refusals)
    invigilated = stage.of(rules.choose_invigilated, command.requires_invigilation, test)
    language = stage.of(rules.choose_language, command.language, test)
    if marker is not None:
        stage.of(rules.require_marker, test, marker)
    if moderator is not None:
        stage.of(rules.require_moderator, test, moderator)
    if form is not None:
        stage.of(require_form, test, form)
    stage.settle()
    assert candidate is not None
    assert centre is not None
    assert enforced is not None
    assert invigilated is not None
    assert language is not None
    if command.test_form is None:
        forms, used = preloaded.forms_of(test), preloaded.forms_used(candidate)
        form = automatic_form(forms, language, used)
    return ScheduleChoice(
        candidate=candidate,
        centre=centre,
        test=test,
        dates=dates,
        enforced=enforced,
        invigilated=invigilated,
        language=language,
        tags=tags,
        form=form,
        marker=marker,
        moderator=moderator,
    )


def _test(
    preloaded: PreloadedBatch, command: BookTestSchedule, stage: ValidationErrors
) -> Test | None:
    """The test; where several have the reference, the one of the subject `[001]`."""
    subject = None
    if command.subject is not None:
        path = ("subject",)
        subject = stage.of(preloaded.subjects.one, command.viewer, command.subject, *path)
    test = stage.of(
        preloaded.tests.one,
        command.viewer,
        command.test,
        "test",
        prefer=None if subject is None else lambda row: row.subject_id == subject.id,
    )
    if test is not None and subject is not None:
        stage.of(rules.require_subject, test, subject.id)
    return test


def _form(
    preloaded: PreloadedBatch, command: BookTestSchedule, test: Test | None, stage: ValidationErrors
) -> TestForm | None:
    """The form that was asked for; of several with its code the test's."""
    if command.test_form is None:
        return None
    return stage.of(
        preloaded.test_forms.one,
        command.viewer,
        command.test_form,
        "test_form",
        prefer=lambda row: test is not None and row.test_id == test.id,
    )


def _user(
    preloaded: PreloadedBatch,
    command: BookTestSchedule,
    ref: Ref | None,
    stage: ValidationErrors,
    name: str,
) -> User | None:
    if ref is None:
        return None
    return stage.of(preloaded.users.one, command.viewer, ref, name)
