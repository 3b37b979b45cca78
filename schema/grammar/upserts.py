"""The mutation and the payload of an upsert, for each type whose objects have a reference."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

import strawberry

from resolvers.storage.batches import Run
from resolvers.viewer import Viewer
from schema.grammar.commands import Answer, submit
from schema.grammar.context import Info
from schema.grammar.fields import attribute, type_name
from schema.grammar.payloads import CREATED, CommandPayload, payload_type, result_of, written
from schema.grammar.warnings import Warning

WORDS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


class UpsertInput(Protocol):
    def to_command(self, viewer: Viewer) -> Any: ...


def upsert(
    kind: type[Any],
    input: type[UpsertInput],
    run: Run,
    *,
    description: str,
    warnings: str | None = None,
    read: Callable[[Info, Answer], Awaitable[Any]] | None = None,
) -> Any:
    """Return the mutation that creates or updates an object of a type.

    The payload has the object, whether it was created, and the errors; with `warnings` (their
    description), also warnings. `read` replaces `written` as the function that finds the object.
    """
    name = type_name(kind)
    words = WORDS.sub(" ", name).lower()
    field = words.replace(" ", "_")
    payload = _payload(kind, f"{name}Payload", field, words, warnings)

    async def resolve(info: Info, input: Any) -> Any:
        answer = await submit(info, run, input)
        found = written(info, name, answer) if read is None else read(info, answer)
        return payload(**{field: await found}, created=answer.created, **result_of(answer))

    resolve.__annotations__ |= {"input": input, "return": payload | None}
    return strawberry.mutation(resolver=resolve, description=description)


def _payload(kind: type[Any], name: str, field: str, words: str, warnings: str | None) -> Any:
    fields: dict[str, tuple[Any, Any]] = {
        field: (
            kind | None,
            attribute(description=f"The {words} with its new values. Null if there are errors."),
        ),
        "created": (bool, attribute(description=CREATED)),
    }
    if warnings is not None:
        fields["warnings"] = (list[Warning], attribute(description=warnings))
    declared = {each: value for each, (_, value) in fields.items()}
    declared["__annotations__"] = {each: made for each, (made, _) in fields.items()}
    declare = payload_type(description=f"Result of upsert{type_name(kind)}.")
    return declare(type(name, (CommandPayload,), {"__module__": __name__, **declared}))
