"""Tests with their subject, languages, modules and forms."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from resolvers.external_ids import external_ids_of
from resolvers.outcomes import Outcome
from resolvers.references import ByExternalId, ByReference
from resolvers.refusals import Refused
from resolvers.storage.paging import page_request
from resolvers.tests import reads  # its functions are called tests_…: pytest would run them
from resolvers.tests.commands import (
    UpsertModule,
    UpsertSubject,
    UpsertTest,
    upsert_modules,
    upsert_subjects,
    upsert_tests,
)
from resolvers.tests.forms import Form
from resolvers.tests.languages import with_default
from resolvers.vocabulary import SourceSystem

ONE, TWO = (ByExternalId(SourceSystem.SURPASS_TEST_SCHEDULE, "testForm", v) for v in ("1", "2"))


@pytest.fixture
def a_test(viewer):
    """The command with the least that a test needs."""
    return UpsertTest(viewer=viewer, reference="T1", name="Algebra", duration_minutes=60)


@pytest.fixture
async def subjects(viewer, make):
    names = {"viewer": viewer, "name": "Subject"}
    return [await make(upsert_subjects, UpsertSubject(reference=r, **names)) for r in ("S1", "S2")]


@pytest.mark.parametrize(
    ("values", "default", "expected"),
    [
        ((), "en", ["en"]),
        (("de", "fr"), "en", ["en", "de", "fr"]),
        (("de", "en", "de"), "en", ["de", "en"]),
    ],
)
def test_languages_contain_the_default(values, default, expected):
    """A test's languages are each there once, and the default language is one of them."""
    assert with_default(values, default) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"reference": ""}, ("STRING_LENGTH", "reference")),
        ({"name": "x" * 201}, ("STRING_LENGTH", "name")),
        ({"duration_minutes": 0}, ("OUT_OF_RANGE", "duration_minutes")),
        ({"duration_minutes": 100_001}, ("OUT_OF_RANGE", "duration_minutes")),
        ({"break_minutes": -1}, ("OUT_OF_RANGE", "break_minutes")),
        ({"max_attempts": 0}, ("OUT_OF_RANGE", "max_attempts")),
        ({"default_language": "english language"}, ("INVALID_VALUE", "default_language")),
        ({"languages": ("en", "e_n")}, ("INVALID_VALUE", "languages.1")),
        ({"languages": tuple(f"x-{n}" for n in range(500))}, ("OUT_OF_RANGE", "languages")),
        ({"subject": ByReference("S9")}, ("NOT_FOUND", "subject")),
        ({"modules": (ByReference("M9"),)}, ("NOT_FOUND", "modules.0")),
        ({"forms": (Form(code="", name="A"),)}, ("STRING_LENGTH", "forms.0.code")),
        ({"forms": (Form(code="A", name=""),)}, ("STRING_LENGTH", "forms.0.name")),
        (
            {"forms": (Form(code="A", name="A", language="?"),)},
            ("INVALID_VALUE", "forms.0.language"),
        ),
        (
            {"forms": (Form(code="A", name="A"), Form(code="A", name="B"))},
            ("INVALID_VALUE", "forms.1.code"),
        ),
        (
            {"external_ids": (ONE,), "forms": (Form(code="A", name="A", external_ids=(ONE,)),)},
            ("ALREADY_EXISTS", "forms.0.external_ids.0"),
        ),
    ],
)
async def test_refused(a_test, refusals, values, expected):
    """Each field has its limits, and its refusal names it."""
    code, path = expected

    assert await refusals(upsert_tests, replace(a_test, **values)) == [(code, path)]


async def test_known_by_subject_and_reference(storage, viewer, subjects, a_test):
    """The same reference in another subject is another test `[001]`."""
    first = replace(a_test, subject=ByReference("S1"))
    other = replace(a_test, subject=ByReference("S2"))

    made, second, again = await storage.write(upsert_tests, [first, other, first])

    assert made.subject == again.subject != second.subject
    rows = await storage.read(reads.tests_by_id(viewer, [made.subject, second.subject]))
    assert {row.id: row.subject_id for row in rows} == {
        made.subject: subjects[0],
        second.subject: subjects[1],
    }


async def test_subject_left_out(storage, viewer, subjects, a_test, refusals, make):
    """Without a subject the only test of the reference is meant; of several it is unclear."""
    key = await make(upsert_tests, replace(a_test, subject=ByReference("S1")))

    [renamed] = await storage.write(upsert_tests, [replace(a_test, name="Geometry")])
    assert renamed == Outcome(key)
    [row] = await storage.read(reads.tests_by_id(viewer, [key]))
    assert (row.name, row.subject_id) == ("Geometry", subjects[0])

    await make(upsert_tests, replace(a_test, subject=ByReference("S2")))
    assert await refusals(upsert_tests, a_test) == [("AMBIGUOUS_REFERENCE", "reference")]


async def test_languages_and_defaults(storage, viewer, make, a_test):
    """Languages left out stay, with the default language that is written each time among them."""
    german = replace(a_test, default_language="de", languages=("de", "fr"), max_attempts=3)
    key = await make(upsert_tests, replace(german, requires_invigilation=True))

    await make(upsert_tests, a_test)

    [row] = await storage.read(reads.tests_by_id(viewer, [key]))
    assert (row.default_language, row.languages) == ("en", ["en", "de", "fr"])
    assert (row.max_attempts, row.requires_invigilation) == (3, True)


async def test_modules(storage, viewer, make, a_test):
    """A test's modules are replaced by a list, and stay where it is left out."""
    for reference in ("M1", "M2"):
        module = UpsertModule(viewer=viewer, reference=reference, name=reference)
        await make(upsert_modules, module)
    key = await make(upsert_tests, replace(a_test, modules=(ByReference("M1"),)))

    for modules, expected in [(None, ["M1"]), ((ByReference("M2"),), ["M2"]), ((), [])]:
        await make(upsert_tests, replace(a_test, modules=modules))
        rows = await storage.read(reads.modules_of_tests(viewer, [key]))
        assert [row.reference for row in rows] == expected


async def forms(storage, viewer, key):
    return {row.code: row for row in await storage.read(reads.forms_of_tests(viewer, [key]))}


async def test_forms(storage, viewer, make, a_test):
    """A list of forms replaces: those of the same code stay the same forms, others come and go."""
    published_at = datetime(2026, 5, 1, tzinfo=UTC)
    a, b = (Form(code=code, name=code, published_at=published_at) for code in "AB")
    key = await make(upsert_tests, replace(a_test, forms=(a, a, b)))
    before = await forms(storage, viewer, key)
    assert set(before) == {"A", "B"}

    [same] = await storage.write(upsert_tests, [replace(a_test, forms=(b, a))])
    [left_out] = await storage.write(upsert_tests, [a_test])
    assert not same.changed
    assert not left_out.changed

    changed = Form(code="B", name="New", published=False, language="de")
    [outcome] = await storage.write(
        upsert_tests, [replace(a_test, forms=(changed, Form(code="C", name="C")))]
    )
    after = await forms(storage, viewer, key)
    assert outcome.changed
    assert set(after) == {"B", "C"}
    b_row = after["B"]
    assert (b_row.id, b_row.name, b_row.published) == (before["B"].id, "New", False)
    assert (b_row.published_at, b_row.language) == (published_at, "de")
    assert await storage.read(reads.test_forms_by_id(viewer, [before["A"].id])) == []


async def test_external_ids_of_forms(storage, viewer, make, a_test, refusals):
    """A form's ids are its own while it is there, and free once it is not."""
    form = Form(code="A", name="A", external_ids=(ONE, TWO))
    key = await make(upsert_tests, replace(a_test, forms=(form,)))
    other = replace(a_test, reference="T2", external_ids=(TWO,), forms=(form,))

    assert await refusals(upsert_tests, replace(other, forms=None)) == [
        ("ALREADY_EXISTS", "external_ids.0")
    ]
    assert await refusals(upsert_tests, replace(other, external_ids=None)) == [
        ("ALREADY_EXISTS", "forms.0.external_ids.0"),
        ("ALREADY_EXISTS", "forms.0.external_ids.1"),
    ]

    a_row = (await forms(storage, viewer, key))["A"]
    emptied, taken = await storage.write(
        upsert_tests, [replace(a_test, forms=()), replace(other, forms=None)]
    )
    rows = await storage.read(external_ids_of(viewer, [a_row.id, taken.subject]))
    assert emptied.changed
    assert [(row.object_type, row.object_id, row.value) for row in rows] == [
        ("Test", taken.subject, "2")
    ]


async def test_new_form_cannot_take_its_tests_own_id(storage, make, a_test):
    """An id that the test itself has is not free for its forms, whatever the command says."""
    await make(upsert_tests, replace(a_test, external_ids=(ONE,)))

    form = Form(code="A", name="A", external_ids=(ONE,))
    [outcome] = await storage.write(upsert_tests, [replace(a_test, forms=(form,))])

    assert isinstance(outcome, Refused)


async def test_pages(storage, viewer, subjects, make, a_test):
    """Subjects and tests come by name and are found by name or reference, in any case."""
    await make(upsert_tests, a_test)
    await make(upsert_tests, replace(a_test, reference="T2", name="Ökonomie"))
    a_page = {"first": 10, "after": None, "last": None, "before": None}

    rows = await storage.read(
        reads.tests_page(viewer, page_request(reads.TESTS_BY_NAME, **a_page), "öKO")
    )
    [count] = await storage.read(reads.tests_count(viewer, "öKO"))
    assert [row.reference for row in rows] == ["T2"]
    assert count.total == 1

    rows = await storage.read(
        reads.subjects_page(viewer, page_request(reads.SUBJECTS_BY_NAME, **a_page), "s2")
    )
    [count] = await storage.read(reads.subjects_count(viewer, None))
    assert [row.id for row in rows] == [subjects[1]]
    assert count.total == len(await storage.read(reads.subjects_by_id(viewer, subjects))) == 2
