"""Places that are reached from the rows of another: one statement each, whatever the number of
rows.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from inspect import isawaitable
from typing import Any

from graphql import GraphQLList, get_nullable_type

from resolvers import checks
from resolvers.selecting import SHORT_BYTES, selecting
from schema.grammar.relations import Assembled, Many, One
from schema.grammar.sources.fields import DEFINITION
from schema.grammar.sources.methods import Method
from schema.grammar.sources.rules import Computed, given_to
from schema.plan.pages import Pages
from schema.plan.places import Child, Compiler, Place
from schema.plan.run import Row, Run
from schema.plan.selected import SelectedField
from schema.plan.selection import NotPlanned

NO_ROWS: list[Any] = []

FEW_KEYS = 100
"""Plain lists of up to this many keys (one page) are read in one statement."""


def in_parts(keys: Sequence[Hashable], most: int) -> Iterable[list[Hashable]]:
    """Split the keys into parts of at most `most`."""
    return (list(keys[start : start + most]) for start in range(0, len(keys), most))


class RelationRows(Child):
    """The rows of a relation, one or many for each key."""

    def __init__(self, _: Compiler, key: str, relation: One | Many, place: Place) -> None:
        super().__init__(key)
        self._read = relation.read
        self._place = place
        self._position = place.positions[relation.key]
        self._one = isinstance(relation, One)

    async def _rows(self, run: Run, keys: Sequence[Hashable]) -> tuple[Sequence[Row], list[object]]:
        there = [key for key in keys if key is not None]
        wanted = list(dict.fromkeys(there))
        if not wanted:
            return NO_ROWS, NO_ROWS
        run.size.repeats(len(there), len(wanted))
        rows: list[Row] = []
        answers: list[object] = []
        most = self._keys_at_first(run)
        while wanted:
            some, wanted = wanted[:most], wanted[most:]
            found, theirs = await self._rows_of(run, some)
            if not rows and not wanted:
                return found, theirs
            rows += found
            answers += theirs
            most = self._place.keys_at_once(run, 1 + 2 * len(found) // len(some))
        return rows, answers

    def _keys_at_first(self, run: Run) -> int:
        """Return the number of keys of the first statement; later ones depend on the rows that it
        found.
        """
        if self._one:
            return self._place.keys_at_once(run, 1)
        return max(FEW_KEYS, self._place.keys_at_once(run, checks.PLAIN_LIST))

    async def _rows_of(self, run: Run, keys: list[Hashable]) -> tuple[Sequence[Row], list[object]]:
        rows = await run.tuples(selecting(self._read(run.viewer, keys), self._place.wanted))
        return rows, await self._place.answer(run, rows)


class OneEach(RelationRows):
    """Answers by key; absent for a key without a row, or whose row the viewer may not see.

    Rows that a mutation has just written or read are not read again.
    """

    def __init__(self, compiler: Compiler, key: str, relation: One, place: Place) -> None:
        super().__init__(compiler, key, relation, place)
        self._table = compiler.joinable(relation)

    async def load(self, run: Run, keys: Sequence[Hashable]) -> Mapping[Hashable, object]:
        if run.context.held and (there := self._there(run, keys)) is not None:
            answers = await answer_values(run, self._place, [*there.values()])
            return dict(zip(there, answers, strict=True))
        rows, answers = await self._rows(run, keys)
        position = self._position
        return {row[position]: answer for row, answer in zip(rows, answers, strict=True)}

    def held(self, run: Run, rows: Sequence[Row]) -> Mapping[Hashable, object] | None:
        there = self._there(run, [row[self.position] for row in rows])
        if not there:
            return there
        answers = self._place.held(run, self._place.rows_of(there.values()))
        return None if answers is None else dict(zip(there, answers, strict=True))

    def _there(self, run: Run, keys: Sequence[Hashable]) -> dict[Hashable, object] | None:
        """Return the rows of these keys from the last write; None unless it returned all."""
        if self._table is None:
            return None
        model, column = self._table
        rows = run.context.held.get(model, ())
        if len(rows) == len(keys) == 1 and getattr(rows[0], column) == keys[0]:
            return {keys[0]: rows[0]}  # the usual case: a single command
        held = {getattr(row, column): row for row in rows}
        wanted = dict.fromkeys(keys)
        wanted.pop(None, None)
        return {key: held[key] for key in wanted} if wanted.keys() <= held.keys() else None


class ManyEach(RelationRows):
    """Lists of answers by key; absent for a key without rows."""

    async def load(self, run: Run, keys: Sequence[Hashable]) -> Mapping[Hashable, list[object]]:
        rows, answers = await self._rows(run, keys)
        position, found = self._position, defaultdict(list)
        for row, answer in zip(rows, answers, strict=True):
            found[row[position]].append(answer)
        return found


class AssembledEach(Child):
    """Values assembled from the rows of a read, by key; they are not rows of a statement."""

    def __init__(self, _: Compiler, key: str, relation: Assembled, place: Place) -> None:
        super().__init__(key)
        self._relation = relation
        self._place = place
        self._answers = self._lists if relation.many else self._values

    async def load(self, run: Run, keys: Sequence[Hashable]) -> Mapping[Hashable, object]:
        there = [key for key in keys if key is not None]
        wanted = list(dict.fromkeys(there))
        run.size.repeats(len(there), len(wanted))
        rows = await run.read(self._relation.read(run.viewer, wanted))
        found = self._relation.assemble(rows, now=run.context.now)
        return await self._answers(run, found)

    async def _values(
        self, run: Run, found: Mapping[Hashable, object]
    ) -> Mapping[Hashable, object]:
        answers = await answer_values(run, self._place, list(found.values()))
        return dict(zip(found, answers, strict=True))

    async def _lists(
        self, run: Run, found: Mapping[Hashable, Sequence[object]]
    ) -> Mapping[Hashable, object]:
        values = [value for each in found.values() for value in each]
        answers = iter(await answer_values(run, self._place, values))
        return {key: [next(answers) for _ in each] for key, each in found.items()}


async def answer_values(run: Run, place: Place, values: Sequence[object]) -> list[object]:
    """Return the answers of values that have the place's columns as attributes."""
    return await place.answer(run, place.rows_of(values))


class AwaitedValue(Child):
    """A value that is awaited for each row; keyed by the row, since not every row shows it."""

    def __init__(
        self, compiler: Compiler, key: str, source: Computed, slots: Sequence[str]
    ) -> None:
        super().__init__(key)
        self._given = given_to(source)
        self._by = source.by
        self._slots = slots
        self._positions: list[int] = []

    def number(self, position: Callable[[str], int]) -> None:
        self._positions = [position(slot) for slot in self._slots]

    async def load_rows(self, run: Run, rows: Sequence[Row]) -> Mapping[Hashable, object]:
        needs = [[row[position] for position in self._positions] for row in rows]
        return {
            id(row): await self._by(self._given(needed), run.context)
            for row, needed in zip(rows, needs, strict=True)
            if any(value is not None for value in needed)  # a missing joined row has only nulls
        }


class ListEach(Child):
    """A list that belongs to each row: one page for each key."""

    def __init__(self, compiler: Compiler, key: str, at: SelectedField) -> None:
        super().__init__(key)
        self._part = at.scope.part
        self._arguments = at.arguments()
        self._pages = Pages(compiler, at.field.type, at.nodes)

    async def load(self, run: Run, keys: Sequence[Hashable]) -> Mapping[Hashable, object]:
        listing = self._arguments.listing(run, self._part)
        different = list(dict.fromkeys(keys))
        run.size.repeats(len(keys), len(different))
        most = self._pages.parents_at_once(run, listing.page.size)
        if len(different) <= most:
            return await self._pages.of_parents(run, listing, different)
        found: dict[Hashable, object] = {}
        for some in in_parts(different, most):
            found |= await self._pages.of_parents(run, listing, some)
        return found


class MethodEach(Child):
    """The result of a method of the objects, called once for each key."""

    def __init__(self, compiler: Compiler, key: str, at: SelectedField, method: Method) -> None:
        super().__init__(key)
        self._object_of = method.object_of(at.kind.extensions[DEFINITION].origin)
        self._arguments = at.arguments()
        self._objects = compiler.objects
        self._shown = get_nullable_type(at.field.type)
        self._selected = compiler.objects.selected(at.nodes)

    async def load(self, run: Run, keys: Sequence[Hashable]) -> Mapping[Hashable, object]:
        there = [key for key in keys if key is not None]
        different = list(dict.fromkeys(there))
        run.size.repeats(len(there), len(different))
        # a failing call must not cancel the others: graphql-core would find its loads cancelled
        calls = (self._call(run, key) for key in different)
        found = await asyncio.gather(*calls, return_exceptions=True)
        for value in found:
            if isinstance(value, BaseException):
                raise value
        return dict(zip(different, await self._answers(run, found), strict=True))

    async def _call(self, run: Run, key: Hashable) -> Any:
        value = self._arguments.call(run, self._object_of(key))
        return await value if isawaitable(value) else value

    async def _answers(self, run: Run, found: Sequence[Any]) -> list[Any]:
        """Return the answers of the results; the elements of all lists are resolved together."""
        if not isinstance(self._shown, GraphQLList):
            return await self._together(run, GraphQLList(self._shown), found)
        elements = [element for each in found for element in each]
        answers = iter(await self._together(run, self._shown, elements))
        return [[next(answers) for _ in each] for each in found]

    async def _together(self, run: Run, shown: Any, values: Sequence[Any]) -> list[Any]:
        answers: list[Any] = await self._objects.answer(run, shown, self._selected, values)
        run.size.built(answers, SHORT_BYTES)
        return answers


def make_child(compiler: Compiler, kind: str, *given: Any) -> Child:
    """Return a child place of this kind. Raises: NotPlanned."""
    match kind:
        case "one":
            return OneEach(compiler, *given)
        case "many":
            return ManyEach(compiler, *given)
        case "assembled":
            return AssembledEach(compiler, *given)
        case "list":
            return ListEach(compiler, *given)
        case "method":
            return MethodEach(compiler, *given)
        case "awaited":
            return AwaitedValue(compiler, *given)
    raise NotPlanned(kind)
