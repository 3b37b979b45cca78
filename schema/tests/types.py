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


@object_type(description="What tests are about.")
class Subject(Node, Sourced):
    reference: str = column(description="What it is known by.")
    name: str = column(description="Its name.")
    centres: list[Annotated["Centre", strawberry.lazy("schema.centres.types")]] = relation(
        "centres_of_subject", description="The centres that examine it, by name."
    )


@object_type(description="Ties tests and events to the candidates eligible for them.")
class Module(Node, Sourced):
    reference: str = column(description="What it is known by.")
    name: str = column(description="Its name.")


@object_type(description="Surpass test form = Shift iQ assessment form.")
class TestForm(Node, Sourced):
    code: str = column(description="What it is known by inside its test.")
    name: str = column(description="Its name.")
    published: bool = column(description="Whether it can be sat.")
    published_at: datetime | None = column(description="Since when; null where unknown.")
    bilingual: bool = column(description="Whether it has two languages.")
    language: LanguageTag | None = column(description="Its language; null where unknown.")


@object_type(description="What is sat.")
class Test(Node, Sourced):
    reference: str = column(description="What it is known by inside its subject.")
    name: str = column(description="Its name.")
    subject: Subject | None = relation(
        "subject_by_id", key="subject_id", description="What it is about; null without a subject."
    )
    duration_minutes: int = column(description="Minutes of work.")
    break_minutes: int = column(description="Minutes of breaks.")
    requires_invigilation: bool = column(description="Whether it must be invigilated.")
    max_attempts: int | None = column(
        description="How often a candidate may sit it; null: as often as they want."
    )
    default_language: LanguageTag = column(description="The language unless another is chosen.")
    languages: list[LanguageTag] = column(description="The languages to choose from.")
    allows_markers: bool = column(description="Whether it may have a marker.")
    allows_moderators: bool = column(description="Whether it may have a moderator.")
    modules: list[Module] = relation("modules_of_test", description="Its modules, by name.")
    forms: list[TestForm] = relation("forms_of_test", description="Its forms, by code.")
