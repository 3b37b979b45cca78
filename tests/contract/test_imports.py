"""The packages depend on each other in one direction: demo, gateway, schema, resolvers."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

NEVER: dict[str, frozenset[str]] = {
    "resolvers": frozenset(
        {"schema", "gateway", "demo", "strawberry", "graphql", "starlette", "uvicorn"}
    ),
    "schema": frozenset({"gateway", "demo", "starlette", "uvicorn", "sqlmodel", "sqlalchemy"}),
    "gateway": frozenset({"demo"}),
    "demo": frozenset({"schema", "strawberry", "graphql", "starlette", "uvicorn"}),
}
"""What a package never imports."""

COMMAND_LINE = ROOT / "gateway" / "__main__.py"

IMPORTED_WHEN_USED = frozenset(
    {
        "email_validator",
        "gateway.outgoing.attempts",
        "gateway.outgoing.mail",
        "gateway.wakeups.redis",
        "iso4217",
        "pycountry",
        "xlsxwriter",
    }
)
"""What few operations use, and what takes long to import: functions may import these."""

KINDS = frozenset({"enrolments", "test_schedules", "registrations", "agent_bookings"})
KNOWING_KINDS = frozenset({"every_kind", "sources"})
"""The rooms of `resolvers` that may use the kinds."""


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imported(file: Path) -> list[tuple[str, int]]:
    """What a module imports, by full name, and where."""
    return imported_in(ast.parse(file.read_text()))


def imported_in(tree: ast.AST) -> list[tuple[str, int]]:
    names: list[tuple[str, int]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            assert node.level == 0, f"line {node.lineno} is relative"
            names.append((node.module, node.lineno))
    return names


@pytest.mark.parametrize("package", NEVER)
def test_no_import_goes_up(package: str) -> None:
    """`gateway` imports `schema`, and `schema` imports `resolvers`. No import goes the other way.

    Only the command line imports `demo`, in the command that fills the demo.
    """
    wrong = [
        f"{file.relative_to(ROOT)}:{line} imports {name}"
        for file in set(modules(package)) - {COMMAND_LINE}
        for name, line in imported(file)
        if name.split(".")[0] in NEVER[package]
    ]

    assert wrong == []


@pytest.mark.parametrize("package", NEVER)
def test_no_import_hides_in_a_function(package: str) -> None:
    """An import stands at the top of its module, where everybody sees it.

    The command line imports in its commands: each starts without the modules of the others.
    """
    hidden = [
        f"{file.relative_to(ROOT)}:{line} imports {name}"
        for file in set(modules(package)) - {COMMAND_LINE}
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for name, line in imported_in(node)
        if name not in IMPORTED_WHEN_USED
    ]

    assert hidden == []


def test_no_kind_of_booking_knows_another() -> None:
    """What all kinds share knows no kind, and the kinds do not know each other."""
    wrong = []
    for file in modules("resolvers"):
        room = file.relative_to(ROOT / "resolvers").parts[0]
        if room in KNOWING_KINDS:
            continue
        for name, line in imported(file):
            parts = name.split(".")
            other = parts[1] if parts[0] == "resolvers" and len(parts) > 1 else ""
            if other == "every_kind" or (other in KINDS and other != room):
                wrong.append(f"{file.relative_to(ROOT)}:{line} imports {name}")

    assert wrong == []


def test_what_kinds_share_names_none() -> None:
    """It asks a kind (`resolvers.bookings.kinds`) and does not ask which kind it is."""
    naming = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in modules("resolvers")
        if file.relative_to(ROOT / "resolvers").parts[0] not in KINDS | KNOWING_KINDS
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "BookingKind"
    ]

    assert naming == []


def test_rules_know_no_storage() -> None:
    """Rules are pure: they import rows and refusals, and neither reads nor units of work."""
    wrong = [
        f"{file.relative_to(ROOT)}:{line} imports {name}"
        for file in modules("resolvers")
        if file.name == "rules.py"
        for name, line in imported(file)
        if name.startswith("resolvers.storage") and not name.startswith("resolvers.storage.tables")
    ]

    assert wrong == []
