"""Compiles and runs operations, and decides when graphql-core executes them."""

import logging
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
)

from resolvers.refusals import Refusal, Refused
from resolvers.selecting import selecting
from resolvers.viewer import Viewer
from schema.grammar.context import Context
from schema.grammar.found import FoundField, ObjectKey
from schema.grammar.lists import ListField
from schema.grammar.node import rows_of_type
from schema.grammar.relations import RELATIONS, One
from schema.grammar.sources.fields import DEFINITION
from schema.plan.arguments import Arguments
from schema.plan.children import make_child
from schema.plan.inputs import Inputs, Values, Variables
from schema.plan.objects import Objects, Selected
from schema.plan.pages import Pages
from schema.plan.places import Compiler, Place
from schema.plan.run import Run
from schema.plan.selection import NotPlanned, Selections, flags_of, operation_of, sub_selections

logger = logging.getLogger(__name__)

TRIES = 3
REST_SECONDS = 60.0
"""After so many failures in a row, a plan is not tried again for a while."""

CALLERS = (Refusal, Refused, GraphQLError)
"""Errors that a caller's own input causes: they do not count as failures of the shared plan."""

VARIANTS = 32
"""The most plans of a document: one for each operation, each value of @skip and each kind of
viewer.
"""


class _Root:
    """A root field: its value and the answer of this value."""

    def __init__(
        self, compiler: Compiler, kind: GraphQLObjectType, nodes: list[FieldNode], objects: Objects
    ) -> None:
        name = nodes[0].name.value
        self._selected = Selected(nodes)
        self._objects = objects
        self._compiler = compiler
        self._field = kind.fields[name]
        declared = self._field.extensions[DEFINITION]
        self._arguments = Arguments(compiler.inputs, declared, nodes[0], self._field)
        self._pages = None
        self._places: dict[str, Place] = {}
        self._finds = isinstance(declared, FoundField)
        if isinstance(declared, ListField):
            self._pages = Pages(compiler, self._field.type, nodes)

    async def value(self, run: Run) -> object:
        """Call the field's resolver; for a mutation, this carries out the commands."""
        if self._pages is not None:
            return self._arguments.listing(run)
        value = self._arguments.call(run, None)
        return await value if self._arguments.awaits else value

    async def answer(self, run: Run, value: Any) -> Any:
        """Return the answer of a value."""
        if self._pages is not None:
            return await self._pages.of_root(run, value)
        if self._finds:
            return None if value is None else value.told(await self._found(run, value))
        return await self._objects.answer(run, self._field.type, self._selected, value)

    async def answer_each(self, run: Run, values: Sequence[Any]) -> list[Any]:
        """Return the answers of several values, whose rows are read together."""
        each = GraphQLList(self._field.type)
        answers: list[Any] = await self._objects.answer(run, each, self._selected, list(values))
        return answers

    async def _found(self, run: Run, found: ObjectKey) -> Any:
        of_type = rows_of_type(found.name)
        if of_type is None:
            return None
        relation = RELATIONS[of_type[1]]
        assert isinstance(relation, One)
        place = self._places.get(found.name)
        if place is None:
            kind = self._compiler.schema.type_map[found.name]
            place = self._compiler.place(kind, sub_selections(self._selected.nodes), relation.key)
            self._places[found.name] = place
        read = relation.read(run.viewer, [found.key])
        rows = await run.tuples(selecting(read, place.wanted))
        answers = await place.answer(run, rows)
        return answers[0] if answers else None


class Plan:
    """One operation, compiled for viewers with the same rights."""

    def __init__(
        self,
        inputs: Inputs,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        flags: Mapping[str, bool],
        viewer: Viewer,
    ) -> None:
        schema = inputs.schema
        kind = schema.get_root_type(operation.operation)
        assert kind is not None
        selections = Selections(schema, document, flags)
        compiler = Compiler(selections, viewer, inputs, make_child=make_child)
        objects = Objects(compiler)
        compiler.objects = weakref.proxy(objects)  # a cycle would keep dropped plans in memory
        self._roots: list[tuple[str, _Root | str]] = []
        for key, nodes in selections.fields(kind, [operation.selection_set]).items():
            name = nodes[0].name.value
            if name == "__typename":
                self._roots.append((key, kind.name))
            elif name.startswith("__"):
                raise NotPlanned(name)
            else:
                self._roots.append((key, _Root(compiler, kind, nodes, objects)))
        self.failures = 0
        self.rests_until = 0.0

    async def query(self, run: Run) -> dict[str, object]:
        """Return the data of a query."""
        data: dict[str, object] = {}
        for key, root in self._roots:
            if isinstance(root, str):
                data[key] = root
            else:
                data[key] = await root.answer(run, await root.value(run))
                run.size.finished(data[key])
        return data

    async def mutation(self, run: Run) -> dict[str, object]:
        """Return the data of a mutation; results and answers are stored in the context.

        If a payload fails, graphql-core repeats no command and executes only the remaining fields:
        each payload shows the state before the next command.
        """
        data = run.context.answered
        for key, root in self._roots:
            if isinstance(root, str):
                data[key] = root
                continue
            kept = await run.context.once(key, partial(root.value, run))
            data[key] = await root.answer(run, kept)
            run.size.finished(data[key])
        return data

    async def events(self, run: Run, payloads: Sequence[object]) -> list[dict[str, object]]:
        """Return the data of events of a subscription, in their order."""
        [(key, root)] = self._roots
        assert isinstance(root, _Root)
        answers = await root.answer_each(run, payloads)
        for answer in answers:
            run.size.finished(answer)
        return [{key: answer} for answer in answers]


@dataclass(slots=True)
class PlannedDocument:
    """A document with its plans."""

    document: DocumentNode
    flags: frozenset[str]
    grown: Callable[[], None]
    """Called after a plan was added, because plans use memory."""
    plans: dict[Any, Plan | None] = field(default_factory=dict)
    fallbacks: int = 0
    """How often graphql-core executed the document; the first time is logged with the reason."""
    _is_logged: bool = False
    _variables: dict[int, Variables] = field(default_factory=dict)
    _operations: dict[str | None, OperationDefinitionNode | None] = field(default_factory=dict)

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """Return the operation with that name; without a name, the only one."""
        if name not in self._operations:
            if len(self._operations) >= VARIANTS:
                return operation_of(self.document, name)
            self._operations[name] = operation_of(self.document, name)
        return self._operations[name]

    @property
    def digest(self) -> str:
        """The hash of the document's text, which is safe to log."""
        assert self.document.loc is not None
        return sha256(self.document.loc.source.body.encode()).hexdigest()

    def log_fallback(self, reason: Exception) -> None:
        """Log why graphql-core executes the document, once per document."""
        if self._is_logged:
            return
        self._is_logged = True
        if isinstance(reason, NotPlanned):
            logger.info("graphql-core executes document %s: %s", self.digest, reason)
        else:
            logger.warning("The plan of document %s fell back", self.digest, exc_info=reason)

    def variables(self, inputs: Inputs, operation: OperationDefinitionNode) -> Variables:
        """Return the variables of an operation, compiled once. Raises: NotPlanned."""
        known = self._variables.get(id(operation))
        if known is None:
            known = self._variables[id(operation)] = Variables(inputs, operation)
        return known


@dataclass(slots=True)
class Counts:
    """How often a plan executed an operation, and how often graphql-core had to."""

    answered: int = 0
    not_planned: int = 0
    gave_up: int = 0


class Planner:
    """The plans of one schema's documents."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._inputs = Inputs(schema)
        self.counts = Counts()

    def planned(
        self, document: DocumentNode, grown: Callable[[], None] = lambda: None
    ) -> PlannedDocument:
        """Return a valid document that can hold plans; `grown` is called for each new plan."""
        return PlannedDocument(document, flags_of(document), grown)

    def prepare(self, planned: PlannedDocument, viewer: Viewer) -> None:
        """Compile the operations of a document for viewers with the same rights.

        Operations whose selections depend on variables are compiled at their first use.
        """
        for operation in planned.document.definitions:
            if isinstance(operation, OperationDefinitionNode) and not planned.flags:
                with suppress(NotPlanned):
                    planned.variables(self._inputs, operation)
                self._plan(planned, operation, {}, viewer)

    async def execute(
        self,
        planned: PlannedDocument,
        name: str | None,
        raw: dict[str, object] | None,
        context: Context,
    ) -> ExecutionResult | None:
        """Return the result of a query or a mutation; None if graphql-core has to execute it."""
        operation = planned.operation(name)
        if operation is None or operation.operation is OperationType.SUBSCRIPTION:
            return None
        queries = operation.operation is OperationType.QUERY
        answer = Plan.query if queries else Plan.mutation
        data = await self._run(planned, operation, raw, context, answer)
        return None if data is None else ExecutionResult(data, None)

    async def events(
        self,
        planned: PlannedDocument,
        name: str | None,
        raw: dict[str, object] | None,
        context: Context,
        payloads: Sequence[object],
    ) -> list[ExecutionResult] | None:
        """Return the results of a subscription's events; None if graphql-core must."""
        operation = planned.operation(name)
        assert operation is not None
        found = await self._run(
            planned, operation, raw, context, lambda plan, run: plan.events(run, payloads)
        )
        return None if found is None else [ExecutionResult(data, None) for data in found]

    async def _run(
        self,
        planned: PlannedDocument,
        operation: OperationDefinitionNode,
        raw: dict[str, object] | None,
        context: Context,
        answer: Callable[[Plan, Run], Any],
    ) -> Any:
        """Return the data that a plan makes; None if graphql-core has to execute the operation."""
        if not isinstance(context, Context):
            return None  # an operation of a schema without plans
        variables: Values = {}
        if operation.variable_definitions:
            try:
                variables = planned.variables(self._inputs, operation).values(raw or {})
            except Exception:  # graphql-core reports the error
                return None
        plan = self._plan(planned, operation, variables, context.viewer)
        if plan is None:
            self.counts.not_planned += 1
            planned.fallbacks += 1
            return None
        try:
            data = await answer(plan, Run(context, variables))
        except Exception as error:
            # whatever the error is, graphql-core defines how it is reported
            self._gave_up(planned, plan, error)
            return None
        plan.failures = 0
        self.counts.answered += 1
        return data

    def _gave_up(self, planned: PlannedDocument, plan: Plan, error: Exception) -> None:
        planned.fallbacks += 1
        if isinstance(error, NotPlanned):
            self.counts.not_planned += 1
        else:
            self.counts.gave_up += 1
        if isinstance(error, CALLERS):
            return
        planned.log_fallback(error)
        plan.failures += 1
        if plan.failures >= TRIES:
            plan.failures, plan.rests_until = 0, time.monotonic() + REST_SECONDS

    def _plan(
        self,
        planned: PlannedDocument,
        operation: OperationDefinitionNode,
        variables: Values,
        viewer: Viewer,
    ) -> Plan | None:
        flags = {n: variables[n] for n in planned.flags if isinstance(variables.get(n), bool)}
        of_flags = tuple(sorted(flags.items())) if flags else ()
        key = (id(operation), of_flags, viewer.plan_key)
        if key in planned.plans:
            plan = planned.plans[key]
            return None if plan is None or plan.rests_until > time.monotonic() else plan
        try:
            made: Plan | None = Plan(self._inputs, planned.document, operation, flags, viewer)
        except Exception as reason:
            planned.log_fallback(reason)
            made = None
        if len(planned.plans) < VARIANTS:
            planned.plans[key] = made
            planned.grown()
        return made


def estimated_plan_bytes(text: str) -> int:
    """Estimate the memory of a document's plan, with the values of its arguments."""
    return 12_000 + 65 * len(text)
