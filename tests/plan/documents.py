"""Generated documents: whatever the schema allows, with arguments that often find something.

The generator asks a `random.Random` for every decision, so a document is known by its seed. It
writes text, as clients do: aliases, fragments of every sort, merged fields, directives, variables
with and without defaults, several operations.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from schema.grammar.sources.fields import is_planned

DEEPEST: Final = 8
MOST_FIELDS: Final = 45

WEIGHTS: Final[Mapping[str, float]] = {
    # what costs a statement, or is special
    "Event.candidates": 1.5,
    "Query.enrolments": 4,
    "Query.bookings": 4,
    "Query.registrations": 3,
    "Query.registration": 2,
    "Query.agentBookings": 2,
    "Query.events": 3,
    "Query.candidates": 3,
    "Query.bookingChanges": 3,
    "Query.notificationEndpoints": 2,
    "deliveries": 3,
    "Query.node": 3,
    "Query.booking": 3,
    "nodes": 3,
    "edges": 3,
    "pageInfo": 2,
    "totalCount": 2,
    "totalCountPrecision": 2,
    "cursor": 2,
    "allowedActions": 3,
    "cancellation": 3,
    "payment": 3,
    "candidate": 3,
    "event": 3,
    "times": 2,
    "seats": 2,
}
"""How often a field is chosen, if not as often as others."""

SELDOM: Final = 0.04
"""How often a field is chosen that no plan can answer: often, and plans would answer nothing."""

VALUES: Final[Mapping[str, Sequence[Any]]] = {
    "Boolean": (True, False),
    "Float": (0.5, 3, -1.25),
    "DateTime": ("2027-01-05T09:00:00Z", "2027-01-11T12:00:00.5+01:00", "2020-01-01T00:00:00Z"),
    "Date": ("2027-01-13", "2027-01-05"),
    "UUID": ("00000000-0000-0000-0000-000000000007",),
    "String": ("a", "Demo", "english", "", "É", "%", "x" * 300, "İ\u2028\U0001f600"),
    "ID": ("nothing", "RXZlbnQ6MA=="),
}
WRONG: Final = (5, "x", True, [], {}, [None], {"id": 1, "reference": "a"}, "2027-13-45")
"""Values of variables that most types reject."""

SIZES: Final = (0, 1, 1, 2, 2, 3, 3, 4, 5, 7, 20, 100, 101, -1)


@dataclass(frozen=True, slots=True)
class Known:
    """What documents can ask for: global ids by type, references by type, cursors by list.

    `identifiers` are those of registrations.
    """

    ids: Mapping[str, Sequence[str]]
    references: Mapping[str, Sequence[str]]
    cursors: Mapping[str, Sequence[str]]
    external: Sequence[Mapping[str, str]] = ()
    identifiers: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A text with the values of its variables, and which operation is meant."""

    text: str
    variables: dict[str, Any] = field(default_factory=dict)
    operation: str | None = None


def document(
    schema: GraphQLSchema, known: Known, random: Random, is_valid: Callable[[str], bool]
) -> Document:
    """A valid document."""
    while True:
        made = _Writer(schema, known, random).document()
        if is_valid(made.text):
            return made


def mutation(
    schema: GraphQLSchema,
    known: Known,
    random: Random,
    calls: Sequence[tuple[str, Mapping[str, Any]]],
    is_valid: Callable[[str], bool],
) -> Document:
    """A valid document that does this and that, with payloads of which anything is selected."""
    while True:
        made = _Writer(schema, known, random).mutation(calls)
        if is_valid(made.text):
            return made


def subscription(
    schema: GraphQLSchema,
    known: Known,
    random: Random,
    root: tuple[str, str],
    is_valid: Callable[[str], bool],
) -> Document:
    """A valid document that watches a root field with these arguments."""
    while True:
        made = _Writer(schema, known, random).subscription(*root)
        if is_valid(made.text):
            return made


def doubled(levels: int) -> str:
    """The definition of a fragment F0 that spreads others twice: too many fields to be compiled."""
    fragments = [
        f"fragment F{n} on Enrolment {{"
        f" one: previousAttempt {{ ...F{n + 1} }} other: previousAttempt {{ ...F{n + 1} }} }}"
        for n in range(levels)
    ]
    return "\n".join([*fragments, f"fragment F{levels} on Enrolment {{ reference }}"])


class _Writer:
    """Writes one document."""

    def __init__(self, schema: GraphQLSchema, known: Known, random: Random) -> None:
        self._schema, self._known, self._random = schema, known, random
        self._left = random.randint(3, MOST_FIELDS)
        self._names = 0
        self._fragments: dict[str, list[tuple[str, int]]] = {}
        self._definitions: list[str] = []
        self._of_fragments: dict[str, set[str]] = {}
        self._declared: dict[str, str] = {}
        self._used: set[str] = set()
        self._given: dict[str, Any] = {}
        self._shared: dict[str, list[str]] = {}

    def document(self) -> Document:
        operations = [self._operation("Q0")]
        name = None
        if self._chance(0.08):
            operations.append(self._operation("Q1"))
            name = self._random.choice(["Q0", "Q1", "Q1", None, "Q2"])
        return Document("\n".join([*operations, *self._definitions]), self._given, name)

    def mutation(self, calls: Sequence[tuple[str, Mapping[str, Any]]]) -> Document:
        kind: Any = self._schema.mutation_type
        roots = []
        for n, (name, given) in enumerate(calls):
            made = kind.fields[name]
            self._declared[f"i{n}"] = str(made.args["input"].type)
            self._given[f"i{n}"] = given
            self._used.add(f"i{n}")
            payload: Any = get_named_type(made.type)
            self._left = max(self._left, 6)
            roots.append(f"m{n}: {name}(input: $i{n}) {{ {self._selections(payload, 1)} }}")
        declared = ", ".join(f"${name}: {self._declared[name]}" for name in sorted(self._used))
        text = f"mutation M({declared}) {{ {' '.join(roots)} }}"
        return Document("\n".join([text, *self._definitions]), self._given)

    def subscription(self, name: str, arguments: str) -> Document:
        kind: Any = self._schema.subscription_type
        payload: Any = get_named_type(kind.fields[name].type)
        selected = self._selections(payload, 1)
        declared = ", ".join(f"${name}: {self._declared[name]}" for name in sorted(self._used))
        text = f"subscription S{f'({declared})' if declared else ''} {{ {name}({arguments}) "
        return Document("\n".join([f"{text}{{ {selected} }} }}", *self._definitions]), self._given)

    # ------------------------------------------------------------ chances and names

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _name(self, prefix: str) -> str:
        self._names += 1
        return f"{prefix}{self._names}"

    # ------------------------------------------------------------ operations

    def _operation(self, name: str) -> str:
        self._used = set()
        self._left = max(self._left, 4)
        query: Any = self._schema.query_type
        roots = self._random.choices([1, 2, 3], [0.7, 0.2, 0.1])[0]
        selected = self._selections(query, 0, roots)
        declared = ", ".join(
            f"${variable}: {self._declared[variable]}" for variable in sorted(self._used)
        )
        return f"query {name} {f'({declared}) ' if declared else ''}{{ {selected} }}"

    def _variable(self, kind: str, value: Any, *, required: bool) -> str:
        """A variable with that value, given or by default."""
        name = self._name("v")
        left_out = self._random.random()
        if required and left_out < 0.8:
            self._declared[name], self._given[name] = f"{kind}!", value
        elif left_out < 0.5:
            self._declared[name], self._given[name] = kind, value
            if required:
                self._declared[name] += f" = {_literal(value)}"
        elif left_out < 0.97 or not required:
            self._declared[name] = f"{kind} = {_literal(value)}"
        else:  # null where the variable's default makes it possible to pass one
            self._declared[name], self._given[name] = f"{kind} = {_literal(value)}", None
        if name in self._given and self._chance(0.01):
            self._given[name] = self._random.choice(WRONG)
        self._used.add(name)
        return f"${name}"

    # ------------------------------------------------------------ selections

    def _selections(self, kind: Any, depth: int, count: int | None = None) -> str:
        if count is None:
            count = self._random.choices([1, 2, 3, 4, 6, 9], [2, 4, 5, 5, 3, 1])[0]
        parts = [self._selection(kind, depth) for _ in range(count)]
        return " ".join(part for part in parts if part) or "__typename"

    def _selection(self, kind: Any, depth: int) -> str:
        dice = self._random.random()
        if depth > 0 or kind is not self._schema.query_type:
            if dice < 0.05:
                return f"__typename{self._directives()}"
            if dice < 0.12 or (is_abstract_type(kind) and dice < 0.55):
                return self._inline(kind, depth)
            if dice < 0.20:
                return self._spread(kind, depth)
        elif dice < 0.01:
            return "__schema { queryType { name } }"
        elif dice < 0.03:
            return f"__typename{self._directives()}"
        elif dice < 0.10:
            return self._inline(kind, depth)
        elif dice < 0.15:
            return self._spread(kind, depth)
        return self._field(kind, depth)

    def _conditions(self, kind: Any) -> list[Any]:
        """The types that a fragment can be on, inside a selection on this one."""
        if is_abstract_type(kind):
            return [kind, *self._schema.get_possible_types(kind), *kind.interfaces]
        return [kind, *kind.interfaces]

    def _inline(self, kind: Any, depth: int) -> str:
        on = self._random.choice(self._conditions(kind))
        condition = "" if on is kind and self._chance(0.4) else f" on {on.name}"
        inner = self._selections(on, depth, self._random.randint(1, 3))
        return f"...{condition}{self._directives()} {{ {inner} }}"

    def _spread(self, kind: Any, depth: int) -> str:
        on = self._random.choice(self._conditions(kind))
        made = [name for name, levels in self._fragments.get(on.name, ()) if levels + depth <= 14]
        if made and self._chance(0.6):
            name = self._random.choice(made)
            self._used |= self._of_fragments[name]
            return f"...{name}{self._directives()}"
        outer, self._used = self._used, set()
        name = self._name("F")
        inner = self._selections(on, max(depth, 2), self._random.randint(1, 4))
        self._of_fragments[name] = self._used
        self._used = outer | self._used
        self._definitions.append(f"fragment {name} on {on.name} {{ {inner} }}")
        self._fragments.setdefault(on.name, []).append((name, DEEPEST - max(depth, 2) + 1))
        return f"...{name}{self._directives()}"

    def _field(self, kind: Any, depth: int) -> str:
        fields = [
            name
            for name, made in kind.fields.items()
            if is_leaf_type(get_named_type(made.type)) or (depth < DEEPEST and self._left > 0)
        ]
        if not fields:
            return "__typename"
        name = self._random.choices(fields, [self._weight(kind, f) for f in fields])[0]
        made = kind.fields[name]
        self._left -= 1
        inner: Any = get_named_type(made.type)
        alias, arguments = "", self._arguments(kind.name, name, made.args)
        if arguments or self._chance(0.12):
            alias = f"{self._name('a')}: "
        if made.args and not arguments and self._chance(0.3):
            alias = f"{self._name('a')}: "
        text = f"{alias}{name}{arguments}{self._directives()}"
        if not is_leaf_type(inner):
            text = f"{text} {{ {self._selections(inner, depth + 1)} }}"
            if self._chance(0.08):  # once more, to be merged
                text += f" {alias}{name}{arguments} {{ {self._selections(inner, depth + 1)} }}"
        return text

    def _weight(self, kind: Any, name: str) -> float:
        if kind is not self._schema.query_type and not is_planned(kind.fields[name]):
            return SELDOM
        return WEIGHTS.get(f"{kind.name}.{name}", WEIGHTS.get(name, 1))

    def _directives(self) -> str:
        if not self._chance(0.07):
            return ""
        chosen = self._random.choice([("skip",), ("include",), ("include", "skip")])
        return "".join(f" @{name}(if: {self._condition(name == 'skip')})" for name in chosen)

    def _condition(self, skips: bool) -> str:
        value = self._chance(0.3) if skips else self._chance(0.7)
        if self._chance(0.4):
            return _literal(value)
        shared = [v for v in self._declared if self._declared[v].startswith("Boolean!")]
        if shared and self._chance(0.5):
            name = self._random.choice(shared)
            self._used.add(name)
            return f"${name}"
        return self._variable("Boolean", value, required=True)

    # ------------------------------------------------------------ arguments

    def _arguments(self, of: str, name: str, arguments: Mapping[str, GraphQLArgument]) -> str:
        if not arguments:
            return ""
        if self._chance(0.1) and self._shared.get(f"{of}.{name}"):
            return ""
        given = []
        for argument, declared in arguments.items():
            must = is_required_argument(declared)
            if not must and not self._chance(0.6 if argument == "first" else 0.13):
                continue
            value = self._value(declared.type, f"{of}.{name}", argument)
            given.append(f"{argument}: {self._written(declared.type, value)}")
        return f"({', '.join(given)})" if given else ""

    def _written(self, kind: Any, value: Any) -> str:
        """A value as a literal, as a variable, or with variables in it."""
        required = isinstance(kind, GraphQLNonNull)
        nullable: Any = kind.of_type if required else kind
        if self._chance(0.3):
            if value is None and required:
                return "null"
            return self._variable(str(nullable), value, required=required)
        if isinstance(value, Enumeral):
            return value
        if isinstance(value, dict):
            inner = nullable.fields
            oneof = nullable.is_one_of
            parts = (
                f"{key}: {_literal(v) if oneof else self._written(inner[key].type, v)}"
                for key, v in value.items()
            )
            return f"{{{', '.join(parts)}}}"
        if isinstance(value, list) and isinstance(nullable, GraphQLList):
            return f"[{', '.join(self._written(nullable.of_type, v) for v in value)}]"
        return _literal(value)

    def _value(self, kind: Any, place: str, name: str, depth: int = 0) -> Any:
        if isinstance(kind, GraphQLNonNull):
            return self._value(kind.of_type, place, name, depth)
        if depth == 0 and self._chance(0.03):
            return None
        return self._of_type(kind, place, name, depth)

    def _of_type(self, kind: Any, place: str, name: str, depth: int) -> Any:
        match kind:
            case GraphQLList():
                count = self._random.choices([0, 1, 2, 3, 6], [1, 4, 4, 2, 1])[0]
                return [self._value(kind.of_type, place, name, depth + 1) for _ in range(count)]
            case GraphQLEnumType():
                return Enumeral(self._random.choice(sorted(kind.values)))
            case GraphQLInputObjectType():
                return self._object(kind, place, name, depth)
            case GraphQLScalarType():
                return self._scalar(kind.name, place, name)
        raise TypeError(kind)

    def _object(self, kind: GraphQLInputObjectType, place: str, name: str, depth: int) -> Any:
        if kind.is_one_of:
            return self._reference(place)
        fields = {n: f for n, f in kind.fields.items() if depth < 3 or n not in {"and", "or"}}
        must = [n for n, f in fields.items() if is_required_input_field(f)]
        may = [n for n in fields if n not in must]
        chosen = [
            *must,
            *self._random.sample(may, min(len(may), self._random.choice([0, 1, 1, 2]))),
        ]
        return {n: self._value(fields[n].type, f"{place}.{n}", n, depth + 1) for n in chosen}

    def _reference(self, place: str) -> Any:
        """One of the ways to name an object."""
        kind = NAMED[place.rpartition(".")[2]]
        dice = self._random.random()
        if kind == "TestSchedule":
            keycode = self._random.choice(self._known.references[kind])
            return {"id": self._id(kind)} if dice < 0.5 else {"keycode": keycode}
        if dice < 0.6 or not self._known.references.get(kind):
            return {"id": self._id(kind)}
        if dice < 0.9 or not self._known.external:
            return {"reference": self._random.choice(self._known.references[kind])}
        one = self._random.choice(self._known.external)
        return {"external": {**one, "system": Enumeral(one["system"])}}

    def _scalar(self, scalar: str, place: str, name: str) -> Any:
        if scalar == "Int":
            return self._random.choice(SIZES)
        if name in {"after", "before"}:
            return self._cursor(place)
        if name == "identifier" and not self._chance(0.1):
            return self._random.choice(self._known.identifiers)
        if scalar == "ID":
            return self._id(self._type_of_ids(place, name))
        return self._random.choice(VALUES[scalar])

    def _type_of_ids(self, place: str, name: str) -> str | None:
        if place == "Query.booking":
            return "Enrolment"
        for part in reversed(place.split(".")):
            kind = IDS.get(part)
            if kind is not None:
                return kind
        return None

    def _id(self, kind: str | None) -> str:
        if self._chance(0.05):
            return self._random.choice(VALUES["ID"])
        if kind is None or kind not in self._known.ids or self._chance(0.05):
            kind = self._random.choice(sorted(self._known.ids))
        return self._random.choice(self._known.ids[kind])

    def _cursor(self, place: str) -> str:
        name = place.rpartition(".")[2]
        lists = CURSORS.get(name, name)
        if self._chance(0.1) or not self._known.cursors.get(lists):
            return self._random.choice(["", "nothing", "WyJjaGFuZ2VzIiwgImEiXQ"])
        return self._random.choice(self._known.cursors[lists])


NAMED: Final = {
    "candidate": "Candidate",
    "centre": "Centre",
    "test": "Test",
    "event": "Event",
    "testSchedule": "TestSchedule",
}
"""Of which type each of these roots finds an object."""

IDS: Final = {
    "candidateId": "Candidate",
    "centreId": "Centre",
    "roomId": "Room",
    "eventId": "Event",
    "testId": "Test",
    "organizationId": "Organization",
    "moduleIds": "Module",
}
CURSORS: Final = {
    "enrolments": "bookings",
    "registrations": "bookings",
    "history": "bookingChanges",
    "booked": "bookings",
}
"""The root's list whose cursors another list takes, too."""


class Enumeral(str):
    """The name of an enum's value: written without quotes."""

    __slots__ = ()


def _literal(value: Any) -> str:
    """A value as a document has it."""
    match value:
        case Enumeral():
            return value
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return _quoted(value)
        case dict():
            return "{" + ", ".join(f"{key}: {_literal(v)}" for key, v in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_literal, value)) + "]"
    return str(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
