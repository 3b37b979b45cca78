"""Plans: an operation compiled once and then executed breadth-first.

graphql-core resolves field by field and object by object. A plan resolves a field once for all
objects at its place: each place of an operation is one statement with only the selected columns,
and one function that makes the answers (the response data) of all of its rows.

**What is compiled.** `selection` merges the selected fields (fragments, aliases, @skip and
@include). The source of each field (`schema.grammar.sources`) compiles to an expression, with the
methods of `selected`. `writer` joins the expressions of a place into one function, `layout` its
columns and joins into one statement. A column becomes an index into the row, a relation to one row
a join of the same statement, a rule a call with the columns that it declares. `children` are the
places that need a statement of their own: lists of rows, connections, and rows that cannot be
joined because the viewer may see only some of them. `pages` are connections. `objects` are values
that are already loaded, such as payloads. `planner` compiles and runs operations.

**What it is compiled from.** The compiler knows no domain. It reads how the types declare their
fields (`schema.grammar.fields`, `schema.grammar.lists`, `schema.grammar.found`) and the reads of
the loaders (`schema.grammar.loaders`); graphql-core executes the same declarations.

**Fallback.** A plan handles success only. The compiler rejects features that it does not support
(`NotPlanned`). A running plan gives up on anything unexpected: an exception, a null in a non-null
place, a value of the wrong type. In both cases graphql-core executes the operation from the start,
so it alone defines errors, their paths and null propagation. A query has no side effects; the
result of a mutation's field is stored under its response key, and the field is not executed again.

**Tests.** The differential test executes generated documents both ways, on valid and on broken data
and for several viewers, and compares the results.
"""

from schema.plan.planner import Counts, PlannedDocument, Planner, estimated_plan_bytes

__all__ = ["Counts", "PlannedDocument", "Planner", "estimated_plan_bytes"]
