"""The mutations of centres, and their payloads."""

from resolvers.centres.commands import upsert_centres, upsert_rooms
from schema.centres.inputs import UpsertCentreInput, UpsertRoomInput
from schema.centres.types import Centre, Room
from schema.grammar.declaring import object_type
from schema.grammar.upserts import upsert


@object_type
class CentreMutations:
    upsert_centre = upsert(
        Centre,
        UpsertCentreInput,
        upsert_centres,
        description="Creates a centre, or updates the one with the same reference. Needs "
        "MANAGE_CENTRES.",
    )

    upsert_room = upsert(
        Room,
        UpsertRoomInput,
        upsert_rooms,
        description="Creates a room, or updates the one with the same centre and name. "
        "Needs MANAGE_CENTRES.",
    )
