"""Types of rows: a misspelt column, or a value of another type, is found before anything runs."""

from pathlib import Path

from mypy import api

ROOT = Path(__file__).parents[2]
CODE = """
from uuid import UUID
from resolvers.storage.rows import changed, new_row
from resolvers.storage.tables import Room

room = new_row(Room, organization_id=UUID(int=1), capcity=20)
room = changed(room, capacity="20")
room = changed(room, capacity=20)
"""


def test_columns_are_checked_with_their_types(tmp_path: Path):
    file = tmp_path / "rows.py"
    file.write_text(CODE)

    told, _, status = api.run(["--config-file", str(ROOT / "pyproject.toml"), str(file)])

    errors = [line.partition(": error: ")[2] for line in told.splitlines() if "error:" in line]
    assert status == 1
    assert [error.partition('"')[0] for error in errors] == [
        "Unexpected keyword argument ",
        "Argument ",
    ]
    assert '"capcity"' in errors[0]
    assert 'expected "int' in errors[1]
