"""Subjects, tests, their modules and forms."""

from datetime import datetime
from typing import Any
from uuid import UUID

from resolvers.storage.columns import document, folded_text, instant, key, sort_key, text
from resolvers.storage.tables.tenant import (
    Keyed,
    TableModel,
    check,
    index,
    of_organization,
    refers_to,
    unique,
)


class Subject(Keyed, table=True):
    """What tests are about."""

    __table_args__ = (
        of_organization(),
        unique("reference"),
        index("uq_subject_reference_folded", "reference_folded", unique=True),
        index("ix_subject_sort_key", "sort_key", "id"),
    )

    reference: str = text(50)
    name: str = text(200)
    search_text: str = text(500)
    reference_folded: str = folded_text(default="")
    sort_key: str = sort_key(default="")


class Module(Keyed, table=True):
    """A container that ties tests and events to the candidates eligible for them."""

    __table_args__ = (
        of_organization(),
        unique("reference"),
        index("uq_module_reference_folded", "reference_folded", unique=True),
    )

    reference: str = text(50)
    name: str = text(200)
    reference_folded: str = folded_text(default="")
    sort_key: str = sort_key(default="")


class Test(Keyed, table=True):
    """What is sat. A reference need be unique only inside a subject `[001]`."""

    __table_args__ = (
        of_organization(),
        refers_to("subject"),
        index("ix_test_reference_folded", "reference_folded"),
        index(
            "uq_test_reference_folded_in_subject",
            "subject_id",
            "reference_folded",
            where="subject_id is not null",
            unique=True,
        ),
        index(
            "uq_test_reference_folded",
            "reference_folded",
            where="subject_id is null",
            unique=True,
        ),
        index(
            "uq_test_reference_in_subject",
            "subject_id",
            "reference",
            where="subject_id is not null",
            unique=True,
        ),
        index("uq_test_reference", "reference", where="subject_id is null", unique=True),
        index("ix_test_sort_key", "sort_key", "id"),
        check("duration_minutes", "duration_minutes between 1 and 100000"),
        check("break_minutes", "break_minutes between 0 and 100000"),
        check("max_attempts", "max_attempts >= 1"),
    )

    reference: str = text(50)
    name: str = text(200)
    search_text: str = text(500)
    reference_folded: str = folded_text(default="")
    sort_key: str = sort_key(default="")
    subject_id: UUID | None = key()
    duration_minutes: int
    break_minutes: int = 0
    requires_invigilation: bool = False
    max_attempts: int | None = None
    default_language: str = text(35)
    languages: Any = document(nullable=False)
    allows_markers: bool = False
    allows_moderators: bool = False


class TestModule(TableModel, table=True):
    """A module of a test."""

    __tablename__ = "test_module"
    __table_args__ = (refers_to("test"), refers_to("module"))

    organization_id: UUID = key(primary_key=True)
    test_id: UUID = key(primary_key=True)
    module_id: UUID = key(primary_key=True)


class TestForm(Keyed, table=True):
    """A form of a test: Surpass test form, Shift iQ assessment form."""

    __tablename__ = "test_form"
    __table_args__ = (
        refers_to("test"),
        unique("test_id", "code"),
        index("uq_test_form_code_folded", "test_id", "code_folded", unique=True),
        index("ix_test_form_code_folded", "code_folded"),
    )

    test_id: UUID = key()
    code: str = text(50)
    code_folded: str = folded_text(default="")
    name: str = text(200)
    published: bool = True
    published_at: datetime | None = instant()
    bilingual: bool = False
    language: str | None = text(35)
