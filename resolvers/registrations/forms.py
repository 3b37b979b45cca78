"""Test forms, found by their code: published ones in one language `[002]`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import sqlalchemy as sa

from resolvers.checks import can_be_kept
from resolvers.registrations.refusals import AssessmentFormNotFound
from resolvers.storage.columns import one_of
from resolvers.storage.read import Read
from resolvers.storage.tables import Test, TestForm, columns, table
from resolvers.storage.unit_of_work import UnitOfWork
from resolvers.texts import folded

PATH = ("test_form",)


class Form(Protocol):
    """A form with the subject and the breaks of its test."""

    @property
    def id(self) -> UUID: ...
    @property
    def test_id(self) -> UUID: ...
    @property
    def subject_id(self) -> UUID | None: ...
    @property
    def break_minutes(self) -> int: ...


class Forms:
    """The forms that a batch names, with what counts of their tests."""

    def __init__(self, work: UnitOfWork, names: Iterable[tuple[UUID, str | None]]) -> None:
        wanted = [(of, code) for of, code in names if code is not None and can_be_kept(code)]
        read: Read[Any] = Read(
            "forms by code",
            lambda _: _by_code(),
            {
                "organizations": list({organization for organization, _ in wanted}),
                "codes": list({form for _, code in wanted for form in (code, folded(code))}),
            },
        )
        self._forms: dict[tuple[UUID, str], list[Any]] = {}
        for row in work.rows(read) if wanted else []:
            self._forms.setdefault((row.organization_id, row.code_folded), []).append(row)

    def one(self, organization_id: UUID, code: str) -> Form:
        """The form of that code; of several the most recently published.

        Raises: AssessmentFormNotFound.
        """
        same = [self._forms.get((organization_id, form), []) for form in (code, folded(code))]
        forms = same[0] or same[1]
        if not forms:
            raise AssessmentFormNotFound(*PATH, object_type="TestForm", identifier=code)
        newest: Form = max(forms, key=_recency)
        return newest


def _recency(form: Any) -> tuple[bool, datetime, UUID]:
    return (
        form.published_at is not None,
        form.published_at or datetime.min,  # noqa: DTZ901 - compared with nothing that has a zone
        form.id,
    )


def _by_code() -> sa.Select[Any]:
    f, t = columns(TestForm), columns(Test)
    of_test = sa.and_(t.organization_id == f.organization_id, t.id == f.test_id)
    return (
        sa.select(table(TestForm), t.subject_id, t.break_minutes)
        .join(table(Test), of_test)
        .where(
            one_of(f.organization_id, "organizations"),
            one_of(f.code_folded, "codes"),
            f.published.is_(True),
            f.bilingual.is_(False),
        )
    )
