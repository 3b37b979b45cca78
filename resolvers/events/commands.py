"""Commands on events; `creating` and `updating` carry them out."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any
from uuid import UUID

from resolvers.changes import Origin
from resolvers.references import Ref
from resolvers.values import frozen
from resolvers.viewer import Viewer
from resolvers.vocabulary import RuleOverride

Values = Mapping[str, Any]
"""What a caller gives: plain fields by the columns of `fields.FIELDS`, and beside them `centre`,
`room` and `test` as a Ref and `modules` as a sequence of Refs. What is left out is not in it."""


@frozen
class CreateEvent:
    """A new event. A value that is None is as good as left out; no `identifier` means the key.

    `last_change`: the columns of that name as a source says them; the gateway's own by default.
    """

    viewer: Viewer = field(repr=False)
    values: Values
    identifier: UUID | None = None
    origin: Origin | None = None
    last_change: Mapping[str, Any] = field(default_factory=dict)


@frozen
class UpdateEvent:
    """Other values for an event. What is left out stays; None clears what may be null.

    `last_change`: as in `CreateEvent`.
    """

    viewer: Viewer = field(repr=False)
    event: Ref
    changes: Values
    expected_version: int | None = None
    overrides: tuple[RuleOverride, ...] = ()
    origin: Origin | None = None
    last_change: Mapping[str, Any] = field(default_factory=dict)
