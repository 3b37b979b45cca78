"""The forms of a test: Surpass test form, Shift iQ assessment form. They go with their test."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers import checks
from resolvers.external_ids import check_external_ids
from resolvers.links import Owner, rows_of
from resolvers.references import ByExternalId
from resolvers.refusals import AlreadyExists, Invalid, Refusal
from resolvers.storage.columns import new_key, one_of
from resolvers.storage.read import Read
from resolvers.storage.rows import changed, new_row
from resolvers.storage.tables import Registration, TestForm, TestSchedule, columns
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.tests.languages import language
from resolvers.texts import folded
from resolvers.upserts import Change, PartContext, given
from resolvers.values import frozen

NOT_MADE_YET = UUID(int=0)
"""Stands for the key of a form that is not there yet: whatever somebody has is not its own."""


@frozen(kw_only=True)
class Form:
    """A form as a command gives it, known by its code inside its test.

    `published` None keeps the current value; a new form is published.
    """

    code: str
    name: str
    published: bool | None = None
    published_at: datetime | None = None
    bilingual: bool = False
    language: str | None = None
    external_ids: tuple[ByExternalId, ...] | None = None


def check_forms(
    forms: Sequence[Form] | None, others: Sequence[ByExternalId] | None, *path: str
) -> list[Refusal]:
    """What is wrong with the forms; `others` are the external ids of the test itself."""
    if forms is None:
        return []
    found = checks.violations((checks.size, set(forms), *path, {"most": checks.PLAIN_LIST}))
    codes: dict[str, Form] = {}
    claimed = dict.fromkeys(others or (), "")
    for n, form in enumerate(forms):
        at = (*path, str(n))
        found += _check_form(form, *at)
        if codes.setdefault(folded(form.code), form) != form:
            found.append(Invalid(*at, "code", rule="is used twice in this list"))
        for m, external_id in enumerate(form.external_ids or ()):
            if claimed.setdefault(external_id, form.code) != form.code:
                found.append(AlreadyExists(*at, "external_ids", str(m)))
    return found


def _check_form(form: Form, *path: str) -> list[Refusal]:
    return [
        *checks.violations(
            (checks.code, form.code, *path, "code"),
            (checks.text, form.name, *path, "name", {"least": 1, "most": checks.NAME}),
            (language, form.language, *path, "language"),
        ),
        *check_external_ids(form.external_ids, *path, "external_ids"),
    ]


class Forms:
    """The part of an upsert of tests that keeps their forms; a list replaces, form by form."""

    def __init__(self, loading: PartContext) -> None:
        self._ids = loading.external_ids
        used = [one.command for one in loading.asked if one.command.forms is not None]
        self._before = _forms_of(loading.work, loading.owners) if used else {}
        self._now = dict(self._before)
        self._in_use = _in_use(loading.work, _by_key(self._before))
        names = [
            (command.viewer.organization_id, external_id)
            for command in used
            for form in command.forms
            for external_id in form.external_ids or ()
        ]
        rows = [row for forms in self._before.values() for row in forms.values()]
        self._ids.load(loading.work, names, [(row.organization_id, row.id) for row in rows])

    def refusals(self, change: Change[Any, Any]) -> list[Refusal]:
        here = self._now.get(change.owner, {})
        found: list[Refusal] = []
        if change.command.forms is not None:
            codes = {folded(form.code) for form in change.command.forms}
            for code, form in here.items():
                if code not in codes and form.id in self._in_use:
                    rule = f"must keep '{form.code}', which bookings have; it can be unpublished"
                    found.append(Invalid("forms", rule=rule))
        for n, form in enumerate(change.command.forms or ()):
            code = _code_in(here, form)
            key = here[code].id if code in here else NOT_MADE_YET
            at = ("forms", str(n), "external_ids")
            found += self._ids.refusals((change.owner[0], key), form.external_ids, *at)
        return found

    def take(self, change: Change[Any, Any]) -> bool:
        forms: Sequence[Form] | None = change.command.forms
        if forms is None:
            return False
        here = self._now.get(change.owner, {})
        codes = [_code_in(here, form) for form in forms]
        wanted = {
            code: _row(change.owner, here.get(code), form)
            for code, form in zip(codes, forms, strict=True)
        }
        self._now[change.owner] = wanted
        ids_changed = [
            self._ids.replace("TestForm", (change.owner[0], row.id), ())
            for code, row in here.items()
            if code not in wanted
        ]
        ids_changed += [
            self._ids.replace("TestForm", (change.owner[0], wanted[code].id), form.external_ids)
            for code, form in zip(codes, forms, strict=True)
        ]
        return wanted != here or any(ids_changed)

    def save(self, work: UnitOfWork) -> None:
        before, now = _by_key(self._before), _by_key(self._now)
        work.delete(
            TestForm,
            [
                {"organization_id": row.organization_id, "id": row.id}
                for key, row in before.items()
                if key not in now
            ],
        )
        work.save(TestForm, [(row, now[key]) for key, row in before.items() if key in now])
        work.insert(TestForm, [row for key, row in now.items() if key not in before])


def _in_use(work: UnitOfWork, forms: Mapping[UUID, TestForm]) -> set[UUID]:
    """Which of the forms are assigned to a registration or a test schedule."""
    if not forms:
        return set()
    read: Read[Any] = Read(
        "forms in use",
        lambda _: _with_bookings(),
        {
            "organizations": list({form.organization_id for form in forms.values()}),
            "forms": list(forms),
        },
    )
    return {row.id for row in work.rows(read)}


def _with_bookings() -> sa.Select[Any]:
    f = columns(TestForm)
    assigned = [
        sa.exists().where(c.organization_id == f.organization_id, c.test_form_id == f.id)
        for c in (columns(Registration), columns(TestSchedule))
    ]
    return sa.select(f.id).where(
        one_of(f.organization_id, "organizations"), one_of(f.id, "forms"), sa.or_(*assigned)
    )


FormRows = Mapping[str, TestForm]
"""A test's forms by the folded form of their codes."""


def _code_in(here: FormRows, form: Form) -> str:
    """The code under which a form is, or will be, among the forms of its test."""
    return form.code if form.code in here else folded(form.code)


def _row(owner: Owner, before: TestForm | None, form: Form) -> TestForm:
    values = given(
        code=form.code,
        name=form.name,
        published=form.published,
        published_at=form.published_at,
        bilingual=form.bilingual,
        language=form.language,
    )
    if before is not None:
        return changed(before, **{**values, "code": before.code})
    return new_row(TestForm, organization_id=owner[0], id=new_key(), test_id=owner[1], **values)


def _by_key(forms: Mapping[Owner, FormRows]) -> dict[UUID, TestForm]:
    return {row.id: row for of_test in forms.values() for row in of_test.values()}


def _forms_of(work: UnitOfWork, tests: Sequence[Owner]) -> dict[Owner, FormRows]:
    forms: dict[Owner, dict[str, TestForm]] = {owner: {} for owner in tests}
    for row in rows_of(work, TestForm, "test_id", tests):
        forms[row.organization_id, row.test_id][row.code_folded] = row
    return dict(forms)
