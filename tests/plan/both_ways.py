"""Documents carried out both ways: with plans, and by graphql-core alone."""

import re
from asyncio import CancelledError
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import strawberry
from graphql import (
    REMOVE,
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    SelectionSetNode,
    VariableDefinitionNode,
    VariableNode,
    parse,
    print_ast,
    visit,
)
from graphql.language.visitor import Visitor

from gateway import errors
from gateway.export_addresses import ExportAddresses
from gateway.operations import Operations
from gateway.request import GraphQLRequest
from resolvers.storage import Storage
from resolvers.viewer import Viewer
from schema.grammar.context import Context, Watch
from schema.plan import Planner
from tests.plan.documents import Document

CANCELLED = "graphql-core has cancelled itself"
"""Somebody awaited a loader's future that graphql-core had cancelled for somebody else."""

SMALL_COUNT = 3
"""Some lists of the worlds have more elements than this, and others have fewer."""

REFERENCE = re.compile(r"Reference: [0-9a-f]{8}")


class NoFeed:
    """A feed for operations that do not subscribe."""

    def watch(self, organization_id: UUID) -> Watch:
        raise AssertionError(organization_id)

    async def turn(self) -> None:
        raise AssertionError


class SwitchedPlanner(Planner):
    """Plans that can be switched off, to hear graphql-core alone."""

    on = True

    async def execute(self, *given: Any, **named: Any) -> ExecutionResult | None:
        return await super().execute(*given, **named) if self.on else None

    async def events(self, *given: Any, **named: Any) -> list[ExecutionResult] | None:
        return await super().events(*given, **named) if self.on else None


@dataclass(frozen=True, slots=True)
class Told:
    """What a client is told: the data as it is written, and the errors by the null they made.

    Of several errors that make one null further up, graphql-core tells those that it comes to
    before it gives the rest up; which they are depends on what was loaded already.
    """

    data: bytes | None
    errors: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, result: ExecutionResult) -> "Told":
        answered = orjson.loads(errors.encoded(errors.answer(result)))
        found: dict[str, list[str]] = {}
        for error in answered.get("errors", ()):
            text = orjson.dumps(error, option=orjson.OPT_SORT_KEYS).decode()
            null = orjson.dumps(_null(answered.get("data"), error.get("path", []))).decode()
            found.setdefault(null, []).append(REFERENCE.sub("Reference: ...", text))
        data = orjson.dumps(answered["data"]) if "data" in answered else None
        return cls(data, {null: tuple(sorted(found[null])) for null in sorted(found)})

    @property
    def cancelled(self) -> bool:
        return any(CANCELLED in error for these in self.errors.values() for error in these)

    def agrees(self, other: "Told") -> bool:
        """Whether both tell the same."""
        return (
            self.data == other.data
            and self.errors.keys() == other.errors.keys()
            and all(_agree(null, self.errors[null], other.errors[null]) for null in self.errors)
        )


def _null(data: Any, path: list[str | int]) -> list[str | int]:
    """The place of the null that an error has made: its own, or one above."""
    for n, key in enumerate(path):
        if data is None:
            return path[:n]
        data = data[key]
    return path


def _agree(null: str, these: tuple[str, ...], those: tuple[str, ...]) -> bool:
    own = f'"path":{null}'
    return these == those or not any(own in error for error in (*these, *those))


class BothWays:
    """One service, whose plans can be switched off."""

    def __init__(self, schema: strawberry.Schema, storage: Storage) -> None:
        self.storage = storage
        self.max_total_count = SMALL_COUNT
        self.exports = ExportAddresses("a secret of thirty-two bytes, or more", storage.clock)
        self.schema = schema._schema
        self.operations = Operations(schema)
        self.planner = self.operations.planner = SwitchedPlanner(self.schema)

    def is_valid(self, text: str) -> bool:
        """Whether it can be carried out; it is read once."""
        return self.operations._document(text).planned is not None

    def context(self, viewer: Viewer) -> Context:
        return Context(
            viewer=viewer,
            storage=self.storage,
            feed=NoFeed(),
            exports=self.exports,
            max_total_count=self.max_total_count,
        )

    async def executed(self, document: Document, viewer: Viewer) -> ExecutionResult:
        """The result as the service has it."""
        request = GraphQLRequest(document.text, document.variables, document.operation)
        try:
            result = await self.operations.execute(request, self.context(viewer))
        except CancelledError:
            return ExecutionResult(None, [GraphQLError(CANCELLED)])
        assert isinstance(result, ExecutionResult)
        return result

    async def by_plans(self, document: Document, viewer: Viewer) -> Told:
        """What the service tells."""
        return Told.of(await self.executed(document, viewer))

    async def by_core(self, document: Document, viewer: Viewer) -> Told:
        """What graphql-core alone tells."""
        with self.without_plans():
            return await self.by_plans(document, viewer)

    @contextmanager
    def without_plans(self) -> Iterator[None]:
        self.planner.on = False
        try:
            yield
        finally:
            self.planner.on = True


async def differs(both: BothWays, document: Document, viewer: Viewer) -> bool:
    """Whether the two ways tell something else."""
    told = await both.by_plans(document, viewer)
    return not told.agrees(await both.by_core(document, viewer))


async def smallest(both: BothWays, document: Document, viewer: Viewer) -> Document:
    """The document without whatever it needs not for the difference."""
    found = Document(_tidy(parse(document.text)), document.variables, document.operation)
    again = True
    while again:
        again = False
        for text in _smaller(found.text):
            one = Document(text, found.variables, found.operation)
            if len(text) < len(found.text) and await _differs_still(both, one, viewer):
                found, again = one, True
                break
    return found


async def _differs_still(both: BothWays, document: Document, viewer: Viewer) -> bool:
    try:
        return await differs(both, document, viewer)
    except Exception:
        return True


def _smaller(text: str) -> Iterator[str]:
    """The document with one selection or definition less, and without what it then needs not."""
    tree = parse(text)
    for n in range(len(tree.definitions)):
        rest = tuple(d for m, d in enumerate(tree.definitions) if m != n)
        if rest:
            yield _tidy(DocumentNode(definitions=rest))
    for n, chosen in enumerate(_sets(tree)):
        for m in range(len(chosen.selections)):
            if len(chosen.selections) > 1:
                yield _tidy(visit(tree, _Without(n, m)))
    for n, _ in enumerate(_fields(tree)):
        yield _tidy(visit(tree, _Plain(n)))


class _Without(Visitor):
    """Leaves out one selection of one set."""

    def __init__(self, of: int, which: int) -> None:
        super().__init__()
        self._at, self._of, self._which = -1, of, which

    def enter_selection_set(self, node: SelectionSetNode, *_: Any) -> Any:
        self._at += 1
        if self._at != self._of:
            return None
        rest = tuple(s for n, s in enumerate(node.selections) if n != self._which)
        return SelectionSetNode(selections=rest)


class _Plain(Visitor):
    """Leaves out the directives and the arguments that may be left out of one field."""

    def __init__(self, which: int) -> None:
        super().__init__()
        self._at, self._which = -1, which

    def enter_field(self, node: FieldNode, *_: Any) -> Any:
        self._at += 1
        if self._at != self._which or not (node.directives or node.arguments):
            return None
        return FieldNode(name=node.name, alias=node.alias, selection_set=node.selection_set)


def _sets(tree: DocumentNode) -> list[SelectionSetNode]:
    return _all(tree, SelectionSetNode)


def _fields(tree: DocumentNode) -> list[FieldNode]:
    return _all(tree, FieldNode)


def _all(tree: DocumentNode, kind: type[Any]) -> list[Any]:
    found = []

    class Finder(Visitor):
        def enter(self, node: Any, *_: Any) -> None:
            if isinstance(node, kind):
                found.append(node)

    visit(tree, Finder())
    return found


def _tidy(tree: DocumentNode) -> str:
    """Without the fragments and the variables that nothing uses."""
    spread = {s.name.value for s in _all(tree, FragmentSpreadNode)}
    kept = tuple(
        d
        for d in tree.definitions
        if not isinstance(d, FragmentDefinitionNode) or d.name.value in spread
    )
    if len(kept) < len(tree.definitions):
        return _tidy(DocumentNode(definitions=kept))
    declared = {id(d.variable) for d in _all(tree, VariableDefinitionNode)}
    used = {v.name.value for v in _all(tree, VariableNode) if id(v) not in declared}

    class Unused(Visitor):
        def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> Any:
            return None if node.variable.name.value in used else REMOVE

    return print_ast(visit(tree, Unused()))
