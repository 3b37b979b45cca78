"""A subscription that was accepted: what it follows, and how its events are answered."""

from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Any, Final

import orjson
from graphql import (
    SKIP,
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLSchema,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableNode,
    Visitor,
    get_named_type,
    visit,
)

from resolvers.values import frozen
from schema.changes.followed import ChangeSource
from schema.grammar.context import Context

OF_ONE_USER: Final = frozenset({"User", "NotificationEndpoint", "NotificationDelivery"})
"""Types whose objects are shown by who the user is, and not by the role and the scope alone."""

RESUMES: Final = "after"
"""The argument of a subscription that only decides where it begins."""

Answers = Callable[[Context, Sequence[Any]], Awaitable[list[ExecutionResult]]]


@frozen
class ActiveSubscription:
    """A subscription.

    `answers` executes its selection for payloads of its source. Subscriptions with equal keys and
    the same access rights receive the same results; if `depends_on_user`, only those of one user
    do. With `shows_cursor`, its results may show the cursor that their context notes.
    """

    source: ChangeSource
    answers: Answers
    key: Hashable
    depends_on_user: bool
    shows_cursor: bool


class SharedResults:
    """Which subscriptions with the same document receive the same results."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        found = _Found(TypeInfo(schema))
        visit(document, TypeInfoVisitor(found.types, found))
        self.depend_on_user = not OF_ONE_USER.isdisjoint(found.type_names)
        self._uses = found.uses

    def key(
        self, operation: OperationDefinitionNode, variables: Mapping[str, Any] | None
    ) -> tuple[Hashable, ...]:
        """The operation's name, and its variables except one that only says where it begins."""
        begins = self._beginning(operation)
        compared = {name: value for name, value in (variables or {}).items() if name != begins}
        name = None if operation.name is None else operation.name.value
        return name, orjson.dumps(compared, option=orjson.OPT_SORT_KEYS)

    def _beginning(self, operation: OperationDefinitionNode) -> str | None:
        for field in operation.selection_set.selections:
            for argument in (field.arguments or ()) if isinstance(field, FieldNode) else ():
                if argument.name.value == RESUMES and isinstance(argument.value, VariableNode):
                    name = argument.value.name.value
                    return name if self._uses[name] == 1 else None
        return None


class _Found(Visitor):
    """The types of a document's fields, and how often each variable is used."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.types = types
        self.type_names: set[str] = set()
        self.uses: Counter[str] = Counter()

    def enter_field(self, *_: Any) -> None:
        shown = self.types.get_type()
        if shown is not None:
            self.type_names.add(get_named_type(shown).name)

    def enter_variable_definition(self, *_: Any) -> Any:
        return SKIP

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.uses[node.name.value] += 1
