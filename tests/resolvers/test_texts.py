"""Texts: the normal form, comparison and sort keys, with generated texts too."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.texts import distinct, folded, has_controls, is_visible, normalized, sort_key

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("ref1 ", "ref1"),
        ("\u00a0\u3000ref1\u2028", "ref1"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("\u200b", ""),
        ("\u3164", ""),
        ("\u0301\ufe0f", ""),
        (" \t\n", ""),
        ("a\u200bb", "a\u200bb"),
        ("\x1fa", "\x1fa"),
        ("\0", "\0"),
    ],
)
def test_the_normal_form(text: str, normal: str) -> None:
    """NFC, without White_Space at the ends; without a visible character it is empty."""
    assert normalized(text) == normal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\u0130brahim", "ibrahim"),
        ("i\u0307brahim", "IBRAHIM"),
        ("\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2"),
        ("Stra\u00dfe", "STRASSE"),
        ("ZOE\u0308", "zo\u00eb"),
        ("\ufb01n", "FIN"),
    ],
)
def test_texts_that_are_the_same(one: str, other: str) -> None:
    """Full case folding; the mark that only folding adds does not count."""
    assert folded(one) == folded(other)


def test_a_letter_keeps_its_own_marks() -> None:
    """Folding is no search without accents."""
    assert folded("\u00c4") == "\u00e4" != folded("A")


@given(TEXTS)
def test_normalizing_and_folding_are_final(text: str) -> None:
    """Done twice they are done once, and equal texts have equal forms."""
    normal = normalized(text)

    assert normalized(normal) == normal
    assert normalized(unicodedata.normalize("NFD", text)) == normal
    assert folded(folded(text)) == folded(text)
    assert folded(unicodedata.normalize("NFD", text)) == folded(text)


@pytest.mark.parametrize("text", ["a\x00", "a\x1b", "a\x9f", "\ufdd0", "\ufffe", "\U0010ffff"])
def test_controls_and_noncharacters(text: str) -> None:
    assert has_controls(text)


def test_ids_of_all_scripts_have_no_controls() -> None:
    """Joiners belong to words of some scripts."""
    assert not has_controls("\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 Zo\u00eb-1")
    assert is_visible("\U0001f600")
    assert not is_visible("\u2800")


def test_lists_sort_as_people_expect() -> None:
    """An accent or a capital moves a name only behind the same name without."""
    names = ["Zoe", "\u00c4rger", "arger", "Bauer", "\u00d8rsted", "Oslo", "alt", "\u00e1ron"]

    assert sorted(names, key=sort_key) == [
        "alt",
        "arger",
        "\u00c4rger",
        "\u00e1ron",
        "Bauer",
        "\u00d8rsted",
        "Oslo",
        "Zoe",
    ]
    assert sort_key("Lee", "Zoe") < sort_key("Leeds", "Ann")


def test_the_first_of_equal_texts_stays() -> None:
    assert distinct(["Written", "ORAL", "written"]) == ["Written", "ORAL"]
