"""`WarningCode` has every code that a command emits, and no other."""

import ast
from collections.abc import Iterator
from pathlib import Path

import resolvers
from resolvers.vocabulary import ImportNote, WarningCode

EMITTING = {"Warning": 0, "set_aside": 1}
"""The calls that make a warning, with the position of the code."""


def _codes() -> Iterator[str]:
    for path in Path(resolvers.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = getattr(node.func, "attr", getattr(node.func, "id", None))
                if called in EMITTING and len(node.args) > 1:
                    yield ast.unparse(node.args[EMITTING[called]])


def test_the_contract_has_each_code_that_is_emitted() -> None:
    """A client can handle every code, and each code of the enum occurs."""
    passed_on = {"code", "self.code"}  # by `set_aside` and `Warning.renamed`
    members = {f"WarningCode.{code.name}" for code in WarningCode}

    notes = {f"ImportNote.{note.name}" for note in ImportNote}  # only reports of imports have them

    assert set(_codes()) - passed_on == members | notes
