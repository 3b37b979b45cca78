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
"""The given values: plain fields by the columns of `fields.FIELDS`, `centre`, `room` and `test` as
a Ref, and `modules` as a sequence of Refs. Omitted fields are absent.
"""


@frozen
class CreateEvent:
    """Create an event. None means omitted; `identifier` defaults to the key.

    `last_change`: the columns of that name from a source; the gateway's own by default.
    """

    viewer: Viewer = field(repr=False)
    values: Values
    identifier: UUID | None = None
    origin: Origin | None = None
    last_change: Mapping[str, Any] = field(default_factory=dict)


@frozen
class UpdateEvent:
    """Change values of an event. Omitted fields keep their values; None clears a nullable field.

    `last_change`: as in `CreateEvent`.
    """

    viewer: Viewer = field(repr=False)
    event: Ref
    changes: Values
    expected_version: int | None = None
    overrides: tuple[RuleOverride, ...] = ()
    origin: Origin | None = None
    last_change: Mapping[str, Any] = field(default_factory=dict)
