"""Subjects, modules, tests and their forms."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.grammar.declaring import object_type
from schema.grammar.fields import column, relation
from schema.grammar.node import Node, Sourced
from schema.grammar.scalars import LanguageTag

if TYPE_CHECKING:
    from schema.centres.types import Centre


@object_type(description='A subject that tests belong to, such as "Mathematics".')
class Subject(Node, Sourced):
    reference: str = column(description="Unique reference of the subject.")
    name: str = column(description="Name of the subject.")
    centres: list[Annotated["Centre", strawberry.lazy("schema.centres.types")]] = relation(
        "centres_of_subject", description="Centres that offer the subject, sorted by name."
    )


@object_type(
    description="A part of a test that candidates can be eligible for. A candidate with a "
    "module may book events with that module."
)
class Module(Node, Sourced):
    reference: str = column(description="Unique reference of the module.")
    name: str = column(description="Name of the module.")


@object_type(
    description="A version of a test with its own questions: a test form in Surpass, an "
    "assessment form in Shift iQ."
)
class TestForm(Node, Sourced):
    code: str = column(description="Code of the form, unique within the test.")
    name: str = column(description="Name of the form.")
    published: bool = column(description="True if candidates can take the form.")
    published_at: datetime | None = column(description="Time since when the form is published.")
    bilingual: bool = column(description="True if the form has two languages.")
    language: LanguageTag | None = column(description="Language of the form.")


@object_type(description="A test that candidates can take at events or with test schedules.")
class Test(Node, Sourced):
    reference: str = column(description="Reference of the test, unique within its subject.")
    name: str = column(description="Name of the test.")
    subject: Subject | None = relation(
        "subject_by_id", key="subject_id", description="Subject of the test."
    )
    duration_minutes: int = column(description="Working time of the test in minutes.")
    break_minutes: int = column(description="Breaks of the test in minutes.")
    requires_invigilation: bool = column(description="True if the test must be invigilated.")
    max_attempts: int | None = column(
        description="Number of times that a candidate may take the test. Null means unlimited."
    )
    default_language: LanguageTag = column(
        description="Language of the test, unless a booking chooses another."
    )
    languages: list[LanguageTag] = column(description="Languages that a booking can choose.")
    allows_markers: bool = column(description="True if a test schedule can name a marker.")
    allows_moderators: bool = column(description="True if a test schedule can name a moderator.")
    modules: list[Module] = relation(
        "modules_of_test", description="Modules of the test, sorted by name."
    )
    forms: list[TestForm] = relation(
        "forms_of_test", description="Forms of the test, sorted by code."
    )
