"""What the input of a new test schedule names and says, with every mistake in it at once."""

from resolvers.references import Ref
from resolvers.refusals import Complaints, Refused
from resolvers.storage.tables import Candidate, Centre, Test, TestForm, User
from resolvers.test_schedules import rules
from resolvers.test_schedules.commands import BookTestSchedule
from resolvers.test_schedules.desk import Desk
from resolvers.test_schedules.forms import automatic_form, require_form
from resolvers.test_schedules.windows import Dates, check_windows
from resolvers.values import frozen
from resolvers.vocabulary import AccessScope, Permission

PATHS = {AccessScope.CENTRE: "centre", AccessScope.SUBJECT: "subject", AccessScope.OWN: "candidate"}
"""Where in the input each association stands that a viewer may lack."""


@frozen
class Chosen:
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


def choose(desk: Desk, command: BookTestSchedule) -> Chosen:
    """What the input names, and every mistake in it at once. Raises: Refused."""
    viewer, stage = command.viewer, Complaints()
    settings = desk.settings[viewer.organization_id]
    centre = stage.of(desk.centres.one, viewer, command.centre, "centre")
    test = _test(desk, command, stage)
    candidate = stage.of(desk.candidate, viewer, command.candidate, "candidate")
    if centre is not None and test is not None and not command.happened:
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
    marker = _user(desk, command, command.marker, stage, "marker")
    moderator = _user(desk, command, command.moderator, stage, "moderator")
    stage.of(rules.check_purchase_order, command.purchase_order, settings)
    enforced = stage.of(rules.choose_enforced, command.enforce_times, settings)
    form = _form(desk, command, test, stage)
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
        forms, used = desk.forms_of(test), desk.forms_used(candidate)
        form = automatic_form(forms, language, used)
    return Chosen(
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


def _test(desk: Desk, command: BookTestSchedule, stage: Complaints) -> Test | None:
    """The test; where several have the reference, the one of the subject `[001]`."""
    subject = None
    if command.subject is not None:
        path = ("subject",)
        subject = stage.of(desk.subjects.one, command.viewer, command.subject, *path)
    test = stage.of(
        desk.tests.one,
        command.viewer,
        command.test,
        "test",
        prefer=None if subject is None else lambda row: row.subject_id == subject.id,
    )
    if test is not None and subject is not None:
        stage.of(rules.require_subject, test, subject.id)
    return test


def _form(
    desk: Desk, command: BookTestSchedule, test: Test | None, stage: Complaints
) -> TestForm | None:
    """The form that was asked for; of several with its code the test's."""
    if command.test_form is None:
        return None
    return stage.of(
        desk.test_forms.one,
        command.viewer,
        command.test_form,
        "test_form",
        prefer=lambda row: test is not None and row.test_id == test.id,
    )


def _user(
    desk: Desk, command: BookTestSchedule, ref: Ref | None, stage: Complaints, name: str
) -> User | None:
    if ref is None:
        return None
    return stage.of(desk.users.one, command.viewer, ref, name)
