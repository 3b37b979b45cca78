"""Fills the columns of migration 0007 from texts that were stored before, in bounded batches.

The forms are those of `resolvers.texts`, which the running code compares with.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from resolvers.storage.columns import Document
from resolvers.storage.migrations.external_id_forms import canonical_external_ids
from resolvers.texts import folded, normalized, sort_key
from resolvers.values import frozen

BATCH = 1000
BETWEEN = "\n"
MOST_SEARCHED = 500

EVENT_TEXTS = (
    *("appointment_type", "content", "duration_unit_text", "billing_type", "calendar_color"),
    *("class_code", "description", "exam_format", "publication_status", "requisition_status"),
    *("scheduling_status", "source", "summary", "title", "event_type", "exam_type"),
    *("exam_score_warnings", "last_change_type", "last_change_user", "publication_errors"),
    *("registration_fields", "venue_room", "distribution_code", "distribution_errors"),
    *("distribution_process", "distribution_status", "return_shipment_code"),
    "return_shipment_condition",
)

log = logging.getLogger(__name__)
Row = dict[str, Any]


@frozen(kw_only=True)
class Filled:
    """A table, and what is filled in it.

    `unique` is a text that is unique inside `scope`; `texts` are brought into their normal form;
    `folded` names new columns with the texts that each folds; `searched` are the parts of
    `search_text`, each of one text or several; `forms` go into `folded_texts`.
    """

    table: str
    unique: str | None = None
    scope: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    folded: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sorted_by: tuple[str, ...] = ()
    searched: tuple[tuple[str, ...], ...] = ()
    forms: tuple[str, ...] = ()
    key: tuple[str, ...] = ("organization_id", "id")

    @property
    def read(self) -> list[str]:
        """The columns that are read beside the key."""
        names = [self.unique or "", *self.scope, *self.texts, *self.forms, *self.sorted_by]
        return [name for name in dict.fromkeys(names) if name and name not in self.key]


def _named(table: str, unique: str, *more: str, searched: bool = True, **options: Any) -> Filled:
    return Filled(
        table=table,
        unique=unique,
        texts=tuple(dict.fromkeys(("name", *more))) if unique != "name" else more,
        folded={f"{unique}_folded": (unique,)},
        sorted_by=("name",),
        searched=(("name",), (unique,), *((name,) for name in more)) if searched else (),
        **options,
    )


TABLES = (
    _named("agent_office", "code", "agency"),
    Filled(
        table="app_user",
        unique="reference",
        texts=("name", "email"),
        folded={"reference_folded": ("reference",), "name_folded": ("name",)},
        sorted_by=("name",),
    ),
    Filled(
        table="candidate",
        unique="reference",
        texts=("first_names", "last_name", "email", "telephone", "mobile", "passport_number"),
        folded={
            "reference_folded": ("reference",),
            "name_folded": ("first_names", "last_name"),
            "email_folded": ("email",),
        },
        sorted_by=("last_name", "first_names"),
        searched=(("first_names", "last_name"), ("reference",)),
    ),
    _named("centre", "reference"),
    _named("department", "name", searched=False),
    Filled(table="event", texts=EVENT_TEXTS, sorted_by=("title",), forms=EVENT_TEXTS),
    Filled(
        table="event_version",
        sorted_by=("title",),
        forms=EVENT_TEXTS,
        key=("organization_id", "id", "version"),
    ),
    _named("module", "reference", searched=False),
    _named("product", "code"),
    _named("room", "name", scope=("centre_id",), searched=False),
    _named("subject", "reference"),
    _named("test", "reference", scope=("subject_id",)),
    Filled(
        table="test_form",
        unique="code",
        scope=("test_id",),
        texts=("name",),
        folded={"code_folded": ("code",)},
    ),
)


def fill(connection: sa.Connection) -> None:
    """Fill every table, and give the UUIDs of Shift iQ their one form."""
    for filled in TABLES:
        table = table_of(filled)
        renamed: list[tuple[Any, ...]] = []
        for rows in batches(connection, table, filled):
            renamed += _fill(connection, table, filled, rows)
        if filled.unique is not None:
            _normalize_unique(connection, table, filled, renamed)
    if kept := canonical_external_ids(connection):
        log.warning("external ids of Shift iQ that have another form and are taken: %s", kept)


def table_of(filled: Filled) -> sa.TableClause:
    names = {*filled.read, *filled.folded, "sort_key", "search_text", "folded_texts"}
    keys = [sa.column(name, _kind(name)) for name in filled.key]
    rest = [sa.column(name, _kind(name)) for name in sorted(names - {*filled.key})]
    return sa.table(filled.table, *keys, *rest)


def _kind(name: str) -> Any:
    if name == "folded_texts":
        return Document()
    if name == "version":
        return sa.Integer()
    return sa.Uuid() if name == "id" or name.endswith("_id") else sa.String()


def batches(
    connection: sa.Connection, table: sa.TableClause, filled: Filled, *, also: Sequence[str] = ()
) -> Iterator[Sequence[Row]]:
    """The rows of a table in the order of their keys."""
    key = [table.c[name] for name in filled.key]
    wanted = [*key, *(table.c[name] for name in (*filled.read, *also))]
    after: tuple[Any, ...] | None = None
    while True:
        statement = sa.select(*wanted).order_by(*key).limit(BATCH)
        if after is not None:
            place = [sa.literal(value, c.type) for value, c in zip(after, key, strict=True)]
            statement = statement.where(sa.tuple_(*key) > sa.tuple_(*place))
        rows = [dict(row) for row in connection.execute(statement).mappings()]
        if not rows:
            return
        yield rows
        after = tuple(rows[-1][name] for name in filled.key)


def _fill(
    connection: sa.Connection, table: sa.TableClause, filled: Filled, rows: Sequence[Row]
) -> list[tuple[Any, ...]]:
    """Fill a batch. Returns the keys of the rows whose unique text is not in its normal form."""
    values = [column_values(filled, row) for row in rows]
    names = list(values[0])
    statement = (
        sa.update(table)
        .where(
            *(table.c[name] == sa.bindparam(f"k_{name}", type_=_kind(name)) for name in filled.key)
        )
        .values({name: sa.bindparam(f"v_{name}", type_=_kind(name)) for name in names})
    )
    connection.execute(
        statement,
        [
            {f"k_{name}": row[name] for name in filled.key}
            | {f"v_{name}": value for name, value in of_row.items()}
            for row, of_row in zip(rows, values, strict=True)
        ],
    )
    if filled.unique is None:
        return []
    unique = filled.unique
    return [
        tuple(row[name] for name in filled.key)
        for row in rows
        if normalized(row[unique]) not in {"", row[unique]}
    ]


def column_values(filled: Filled, row: Row) -> Row:
    """What is written to a row besides its unique text."""
    normal = {name: _normal(row[name]) for name in filled.read if isinstance(row[name], str)}
    after = {**row, **normal}
    values: Row = {name: after[name] for name in filled.texts}
    for column, names in filled.folded.items():
        texts = [after[name] for name in names]
        values[column] = None if None in texts else folded(" ".join(texts))
    if filled.unique is not None and not normalized(row[filled.unique]):
        values[f"{filled.unique}_folded"] = row[filled.unique]
    if filled.sorted_by:
        values["sort_key"] = sort_key(*(after[name] for name in filled.sorted_by))
    if filled.searched:
        parts = (" ".join(after[name] for name in names) for names in filled.searched)
        texts = [folded(part.replace(BETWEEN, " ")) for part in parts]
        values["search_text"] = BETWEEN.join(texts)[:MOST_SEARCHED]
    if filled.forms:
        stored = {name: after[name] if name in filled.texts else row[name] for name in filled.forms}
        forms = {name: folded(after[name]) for name in filled.forms if after[name] is not None}
        values["folded_texts"] = {n: form for n, form in forms.items() if form != stored[n]}
    return values


def _normal(text: str) -> str:
    """The normal form; what has no visible character stays, so that nothing is lost."""
    return normalized(text) or text


def _normalize_unique(
    connection: sa.Connection,
    table: sa.TableClause,
    filled: Filled,
    renamed: Sequence[tuple[Any, ...]],
) -> None:
    """Give unique texts their normal form where no other row has the same folded form."""
    assert filled.unique is not None
    text = table.c[filled.unique]
    apart = _set_apart(connection, table, filled)
    if apart:
        keys = [str(key) for _, key in sorted(apart)]
        log.warning("rows of %s whose %s is another row's: %s", filled.table, filled.unique, keys)
    for organization_id, key in renamed:
        if (organization_id, key) in apart:
            continue
        is_row = sa.and_(table.c.organization_id == organization_id, table.c.id == key)
        found = connection.execute(sa.select(text).where(is_row)).scalar_one()
        connection.execute(sa.update(table).where(is_row).values({text.name: normalized(found)}))


def _set_apart(
    connection: sa.Connection, table: sa.TableClause, filled: Filled
) -> set[tuple[UUID, UUID]]:
    """Give all but one of the rows with the same folded form their own text as that form."""
    assert filled.unique is not None
    text, form = table.c[filled.unique], table.c[f"{filled.unique}_folded"]
    of = [table.c.organization_id, *(table.c[name] for name in filled.scope), form]
    several = sa.select(*of).group_by(*of).having(sa.func.count() > 1)
    apart: set[tuple[UUID, UUID]] = set()
    for group in connection.execute(several).all():
        same = [c.is_not_distinct_from(value) for c, value in zip(of, group, strict=True)]
        rows = connection.execute(
            sa.select(table.c.organization_id, table.c.id, text).where(*same)
        ).all()
        for organization_id, key, own in sorted(rows, key=_first_choice(group[-1]))[1:]:
            is_row = sa.and_(table.c.organization_id == organization_id, table.c.id == key)
            connection.execute(sa.update(table).where(is_row).values({form.name: own}))
            apart.add((organization_id, key))
    return apart


def _first_choice(form: str) -> Callable[[Any], tuple[bool, bool, UUID]]:
    """Sorts the row that keeps the folded form first: one in that form, or else the oldest."""

    def order(row: Any) -> tuple[bool, bool, UUID]:
        _, key, own = row
        return own != form, own != normalized(own), key

    return order
