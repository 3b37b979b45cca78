"""The schema is compared with an earlier edition, as `booking-gateway schema --against` does."""

import re
from pathlib import Path

import pytest

import schema
from gateway.comparing import changes_since, is_breaking
from gateway.failures import Failed

PRINTED = (Path(schema.__file__).parent / "schema.graphql").read_text(encoding="utf-8")
UNDESCRIBED = re.sub(r'"""(?:.|\n)*?"""', "", PRINTED)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "earlier.graphql"


def edited(*edits: tuple[str, str]) -> str:
    text = UNDESCRIBED
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def test_a_removed_field_breaks_clients(file: Path) -> None:
    file.write_text(
        edited(
            ("type Query {", "type Query {\n  gone: Int\n"),
            ("  SCHEDULER\n", ""),
            ("  viewer: Viewer\n", ""),
        ),
        encoding="utf-8",
    )

    changes = changes_since(file)

    assert changes == [
        "breaking: Field Query.gone was removed.",
        "dangerous: Enum value Role.SCHEDULER was added.",
        "addition: Field Query.viewer was added.",
    ]
    assert [is_breaking(change) for change in changes] == [True, False, False]


def test_descriptions_are_not_compared(file: Path) -> None:
    file.write_text(UNDESCRIBED, encoding="utf-8")

    assert changes_since(file) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "{file} cannot be read: No such file or directory"),
        (b"\xff", "{file} is not UTF-8 text"),
        (b"type A {\n  b: Int\n", "{file} is not a GraphQL schema: line 3: Syntax Error"),
        (b"type A {\n  b: Missing\n}", "{file} is not a valid GraphQL schema: Unknown type"),
    ],
)
def test_a_file_that_is_no_schema_is_refused(
    content: bytes | None, message: str, file: Path
) -> None:
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(Failed) as refused:
        changes_since(file)

    assert str(refused.value).startswith(message.format(file=file))
