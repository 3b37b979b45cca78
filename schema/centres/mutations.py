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
        description="Make or update a centre. Needs MANAGE_CENTRES.",
    )

    upsert_room = upsert(
        Room,
        UpsertRoomInput,
        upsert_rooms,
        description="Make or update a room. Needs MANAGE_CENTRES.",
    )
