"""The domain uses its own names: only the edges know what their callers call a field."""

import ast

import pytest

from tests.contract.test_imports import ROOT, modules

KEPT_FOR_CLIENTS = {
    ROOT / "resolvers" / "agent_bookings" / "stage_two.py",
    ROOT / "resolvers" / "refusals.py",
}
"""Messages that rows and the history keep with the contract's paths; what a path without names is
called."""


@pytest.mark.parametrize(
    "file", [file for file in modules("resolvers") if file not in KEPT_FOR_CLIENTS], ids=str
)
def test_no_module_of_the_domain_names_the_argument_of_mutations(file):
    tree = ast.parse(file.read_text())

    named = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value == "input"
    ]

    assert named == []
