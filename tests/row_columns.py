"""A plugin of mypy: `new_row` and `changed` take the columns of their table, with their types."""

from collections.abc import Callable

from mypy.nodes import ARG_NAMED_OPT, ARG_POS, TypeInfo, Var
from mypy.plugin import FunctionSigContext, Plugin
from mypy.types import CallableType, FunctionLike, Instance, get_proper_type

ROWS = "resolvers.storage.rows"


class RowColumns(Plugin):
    """Replaces `**values: Any` by one optional argument for each column."""

    def get_function_signature_hook(
        self, fullname: str
    ) -> Callable[[FunctionSigContext], FunctionLike] | None:
        return _signature if fullname in {f"{ROWS}.new_row", f"{ROWS}.changed"} else None


def _signature(context: FunctionSigContext) -> FunctionLike:
    signature = context.default_signature
    if not context.args[0]:
        return signature
    table = _table(context)
    if table is None:
        return signature  # of some table, which is known only when it runs
    columns = {
        name: symbol.node
        for info in reversed(table.mro)
        for name, symbol in info.names.items()
        if isinstance(symbol.node, Var) and not symbol.node.is_classvar
        if not name.startswith("_")
    }
    columns = {n: v for n, v in columns.items() if v.info.fullname.startswith("resolvers.")}
    return signature.copy_modified(
        arg_types=[signature.arg_types[0], *(column.type for column in columns.values())],
        arg_kinds=[ARG_POS, *[ARG_NAMED_OPT] * len(columns)],
        arg_names=[signature.arg_names[0], *columns],
    )


def _table(context: FunctionSigContext) -> TypeInfo | None:
    """The table of the first argument, which is a table itself or one of its rows."""
    given = get_proper_type(context.api.get_expression_type(context.args[0][0]))
    if isinstance(given, CallableType):
        given = get_proper_type(given.ret_type)
    return given.type if isinstance(given, Instance) else None


def plugin(version: str) -> type[Plugin]:
    return RowColumns
