"""The arguments of a field, in the form that its resolver takes.

Arguments without variables are built once.
"""

from typing import Any

from graphql import FieldNode, GraphQLField
from strawberry.types.field import StrawberryField

from schema.plan.inputs import (
    NAMES,
    OMITTED,
    Input,
    Inputs,
    InvalidInput,
    Template,
    Values,
    has_variables,
)
from schema.plan.run import Run


class _NoRow:
    """An object without a row, for resolvers that use only their arguments."""

    row = None


NO_ROW = _NoRow()


class Arguments:
    """The arguments of one field of a document."""

    def __init__(
        self, inputs: Inputs, declared: StrawberryField, node: FieldNode, field: GraphQLField
    ) -> None:
        self._constant: dict[str, Any] = {}
        self._varying: list[tuple[Input, Template]] = []
        nodes = {each.name.value: each.value for each in node.arguments or ()}
        for argument in declared.arguments:
            name = NAMES.name_converter.from_argument(argument)
            made = field.args[name]
            known = Input(argument.python_name, made, argument.type)
            if name not in nodes:
                if known.default is not OMITTED:
                    self._constant[known.name] = known.given(known.default)
                continue
            template = inputs.template(nodes[name], made.type)
            if has_variables(nodes[name]):
                self._varying.append((known, template))
            else:
                self._constant[known.name] = known.given(template({}))
        resolver = declared.base_resolver
        assert resolver is not None
        self._resolve: Any = resolver.wrapped_func
        self._takes_info = resolver.info_parameter is not None
        self._takes_self = resolver.self_parameter is not None
        root = resolver.root_parameter
        self._root = None if root is None else root.name
        self.awaits = resolver.is_async
        self._answer: Any = None

    def call(self, run: Run, source: Any) -> Any:
        """Call the field's resolver for an object."""
        arguments = self._constant
        if self._varying:
            arguments = self.given(run.variables)
        if self._takes_info:
            arguments = {**arguments, "info": run.info}
        if self._root is not None:
            arguments = {**arguments, self._root: source}
        if self._takes_self:
            return self._resolve(source, **arguments)
        return self._resolve(**arguments)

    def given(self, values: Values) -> dict[str, Any]:
        """Return the arguments for the values of the variables. Raises: InvalidInput."""
        given = {**self._constant}
        for argument, template in self._varying:
            value = template(values)
            if value is OMITTED:
                value = argument.default
            if value is not OMITTED:
                given[argument.name] = argument.given(value)
            elif argument.required:
                raise InvalidInput(argument.name)
        return given

    def listing(self, run: Run, part: "Arguments | None" = None) -> Any:
        """Return the requested list. `part` has the arguments of the part of the object that has
        the list.

        The list is built once if it depends on neither variables nor the context.
        """
        if self._answer is not None:
            return self._answer
        listing = self.call(run, None if part is None else part.call(run, NO_ROW))
        if part is None and not self._varying and not self._takes_info:
            self._answer = listing
        return listing
