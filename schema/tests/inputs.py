"""Inputs of the mutations of tests."""

from collections.abc import Iterable
from datetime import datetime

import strawberry

from resolvers.tests.commands import UpsertModule, UpsertSubject, UpsertTest
from resolvers.tests.forms import Form
from resolvers.viewer import Viewer
from schema.grammar.declaring import input_type
from schema.grammar.fields import attribute, described
from schema.grammar.inputs import (
    EXTERNAL_IDS,
    ORIGIN,
    OriginInput,
    external_ids_of_input,
    given,
    origin_of,
    values_given,
)
from schema.grammar.references import ExternalIdInput, RefInput, optional_ref, refs_of
from schema.grammar.scalars import LanguageTag


@input_type(description="A subject, known by the reference.")
class UpsertSubjectInput:
    reference: str = attribute(description="What it is known by.")
    name: str = attribute(description="Its name.")
    centre_ids: list[strawberry.ID] | None = described(
        "The centres that examine it; a list replaces."
    )
    external_ids: list[ExternalIdInput] | None = described(EXTERNAL_IDS)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> UpsertSubject:
        return UpsertSubject(
            viewer=viewer,
            reference=self.reference,
            name=self.name,
            centre_ids=refs_of(self.centre_ids, "Centre"),
            external_ids=external_ids_of_input(self.external_ids),
            origin=origin_of(self.origin),
        )


@input_type(description="A module, known by the reference.")
class UpsertModuleInput:
    reference: str = attribute(description="What it is known by.")
    name: str = attribute(description="Its name.")
    external_ids: list[ExternalIdInput] | None = described(EXTERNAL_IDS)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> UpsertModule:
        return UpsertModule(
            viewer=viewer,
            reference=self.reference,
            name=self.name,
            external_ids=external_ids_of_input(self.external_ids),
            origin=origin_of(self.origin),
        )


@input_type(description="A form of a test, known by its code inside the test.")
class TestFormInput:
    code: str = attribute(description="What it is known by.")
    name: str = attribute(description="Its name.")
    published: bool | None = described(
        "Whether it can be sat. Omitted or null: unchanged; a new form is published."
    )
    published_at: datetime | None = described("Since when.")
    bilingual: bool = attribute(default=False, description="Whether it has two languages.")
    language: LanguageTag | None = described("Its language.")
    external_ids: list[ExternalIdInput] | None = described(EXTERNAL_IDS)

    def to_form(self) -> Form:
        return Form(
            **values_given(self, "external_ids"),
            external_ids=external_ids_of_input(self.external_ids),
        )


@input_type(
    description="A test, known by its subject and its reference. What is left out or null stays "
    "as it is. Events without a duration of their own follow the test until they start; existing "
    "bookings keep their values."
)
class UpsertTestInput:
    reference: str = attribute(description="What it is known by inside its subject.")
    name: str = attribute(description="Its name.")
    subject: RefInput | None = described(
        "What it is about; left out: the only test of that reference."
    )
    duration_minutes: int = attribute(description="Minutes of work.")
    break_minutes: int = attribute(default=0, description="Minutes of breaks.")
    requires_invigilation: bool | None = described(
        "Whether it must be invigilated. Omitted or null: unchanged; false for a new test."
    )
    max_attempts: int | None = described("How often a candidate may sit it.")
    default_language: LanguageTag = attribute(
        default=LanguageTag("en"), description="The language unless another is chosen."
    )
    languages: list[LanguageTag] | None = described(
        "The languages to choose from; a list replaces, and always has the default language."
    )
    allows_markers: bool = attribute(default=False, description="Whether it may have a marker.")
    allows_moderators: bool = attribute(
        default=False, description="Whether it may have a moderator."
    )
    modules: list[RefInput] | None = described("Its modules; a list replaces.")
    forms: list[TestFormInput] | None = described("Its forms; a list replaces, form by form.")
    external_ids: list[ExternalIdInput] | None = described(EXTERNAL_IDS)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> UpsertTest:
        modules, forms = given(self.modules), given(self.forms)
        return UpsertTest(
            viewer=viewer,
            **values_given(self, "subject", "modules", "forms", "external_ids", "origin"),
            subject=optional_ref(self.subject, "Subject"),
            modules=None if modules is None else tuple(ref.to_ref("Module") for ref in modules),
            forms=None if forms is None else _forms(forms),
            external_ids=external_ids_of_input(self.external_ids),
            origin=origin_of(self.origin),
        )


def _forms(forms: Iterable[TestFormInput]) -> tuple[Form, ...]:
    return tuple(form.to_form() for form in forms)
