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
    IDEMPOTENCY_KEY,
    ORIGIN,
    OriginInput,
    external_ids_of_input,
    given,
    origin_of,
    values_given,
)
from schema.grammar.references import ExternalIdInput, RefInput, optional_ref, refs_of
from schema.grammar.scalars import LanguageTag


@input_type(description="The subject to create or update.")
class UpsertSubjectInput:
    reference: str = attribute(
        description="Your unique reference for the subject. If one with it exists, it is "
        "updated; otherwise it is created."
    )
    name: str = attribute(description="Name of the subject.")
    centre_ids: list[strawberry.ID] | None = described(
        "Global ids of the centres that offer the subject. Replaces the stored list."
    )
    external_ids: list[ExternalIdInput] | None = described(EXTERNAL_IDS)
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
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


@input_type(description="The module to create or update.")
class UpsertModuleInput:
    reference: str = attribute(
        description="Your unique reference for the module. If one with it exists, it is "
        "updated; otherwise it is created."
    )
    name: str = attribute(description="Name of the module.")
    external_ids: list[ExternalIdInput] | None = described(EXTERNAL_IDS)
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
    origin: OriginInput | None = described(ORIGIN)

    def to_command(self, viewer: Viewer) -> UpsertModule:
        return UpsertModule(
            viewer=viewer,
            reference=self.reference,
            name=self.name,
            external_ids=external_ids_of_input(self.external_ids),
            origin=origin_of(self.origin),
        )


@input_type(description="A form of a test, identified by its code within the test.")
class TestFormInput:
    code: str = attribute(description="Code of the form, unique within the test.")
    name: str = attribute(description="Name of the form.")
    published: bool | None = described(
        "True if candidates can take the form. Omitted or null keeps the value; a new "
        "form is published."
    )
    published_at: datetime | None = described("Time since when the form is published.")
    bilingual: bool = attribute(default=False, description="True if the form has two languages.")
    language: LanguageTag | None = described("Language of the form.")
    external_ids: list[ExternalIdInput] | None = described(EXTERNAL_IDS)

    def to_form(self) -> Form:
        return Form(
            **values_given(self, "external_ids"),
            external_ids=external_ids_of_input(self.external_ids),
        )


@input_type(
    description="The test to create or update, identified by its subject and reference. "
    "An omitted or null field keeps its value. Events without their own "
    "duration follow the test until they start; existing bookings keep their "
    "values."
)
class UpsertTestInput:
    reference: str = attribute(
        description="Your reference for the test, unique within its subject. If one with it "
        "exists, it is updated; otherwise it is created."
    )
    name: str = attribute(description="Name of the test.")
    subject: RefInput | None = described(
        "Subject of the test. If omitted, the only test with this reference is meant."
    )
    duration_minutes: int = attribute(description="Working time of the test in minutes.")
    break_minutes: int = attribute(default=0, description="Breaks of the test in minutes.")
    requires_invigilation: bool | None = described(
        "True if the test must be invigilated. Omitted or null keeps the value; false "
        "for a new test."
    )
    max_attempts: int | None = described("Number of times that a candidate may take the test.")
    default_language: LanguageTag = attribute(
        default=LanguageTag("en"),
        description="Language of the test, unless a booking chooses another.",
    )
    languages: list[LanguageTag] | None = described(
        "Languages that a booking can choose. Replaces the stored list; the default "
        "language is always included."
    )
    allows_markers: bool = attribute(
        default=False, description="True if a test schedule can name a marker."
    )
    allows_moderators: bool = attribute(
        default=False, description="True if a test schedule can name a moderator."
    )
    modules: list[RefInput] | None = described("Modules of the test. Replaces the stored list.")
    forms: list[TestFormInput] | None = described(
        "Forms of the test. Replaces the stored list; a form with a known code is updated."
    )
    external_ids: list[ExternalIdInput] | None = described(EXTERNAL_IDS)
    idempotency_key: str | None = described(IDEMPOTENCY_KEY)
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
