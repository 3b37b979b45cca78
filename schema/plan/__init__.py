"""Plans: an operation compiled once and then executed breadth-first.

graphql-core resolves field by field and object by object. A plan resolves a field once for all
objects at its place: each place of an operation is one statement with only the columns that are
selected, and one function that answers all of its rows.

**What is compiled.** `selection` merges what is selected (fragments, aliases, @skip and @include).
Each field writes its own answer: its source (`schema.grammar.sources`) compiles to an expression,
with what `selected` offers. `writer` puts the expressions of a place into one function, `layout`
its columns and joins into one statement. A column is an index into the row, a relation to one row
is a join of the same statement, a rule is called with the columns that it says it needs.
`children` are the places that cost a statement of their own: lists of rows, connections, and rows
that cannot be joined because the viewer may see only some of them. `pages` are connections.
`objects` are values that are there already, such as payloads. `planner` puts it together.

**Where it is read from.** Nothing here knows a domain. The types say all of it, by how their fields
are declared (`schema.grammar.fields`, `schema.grammar.lists`, `schema.grammar.found`), and the
loaders by their reads (`schema.grammar.loaders`); graphql-core executes the same declarations.

**What a plan is not.** It is the happy path and nothing else. What the compiler does not know it
refuses to compile (`NotPlanned`), and whatever looks odd while a plan runs makes it give up: an
exception, a null where none may be, a value that is not of its type. In both cases graphql-core
executes the operation from the start, so errors, their paths and their nulls are graphql-core's
alone. A query has no side effects; what a mutation has done is kept under its response key, and is
not done again.

**How it stays right.** The differential test executes generated documents both ways, on healthy and
on broken data and for several viewers, and demands equal answers.
"""

from schema.plan.planner import Counts, PlannedDocument, Planner, estimated_plan_bytes

__all__ = ["Counts", "PlannedDocument", "Planner", "estimated_plan_bytes"]
