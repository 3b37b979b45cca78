"""The distribution of an event's material: to the centre and back."""

from datetime import datetime
from typing import Any

import strawberry

from schema.grammar.declaring import CommandNames, command_names, input_type, object_type
from schema.grammar.fields import OverRow, column, described


@object_type(description="Where an event's material is.")
class Distribution(OverRow):
    row: strawberry.Private[Any]

    code: str | None = column("distribution_code", description="Null where unknown.")
    process: str | None = column("distribution_process", description="Null where unknown.")
    status: str | None = column("distribution_status", description="Null where unknown.")
    errors: str | None = column(
        "distribution_errors", description="What went wrong; null for nothing."
    )
    ordered: datetime | None = column(
        "distribution_ordered", description="When it was ordered; null before."
    )
    expected: datetime | None = column(
        "distribution_expected", description="When it is expected; null where unknown."
    )
    shipped: datetime | None = column(
        "distribution_shipped", description="When it was shipped; null before."
    )
    tracked: datetime | None = column(
        "distribution_tracked", description="When it was last tracked; null before."
    )
    return_shipment_code: str | None = column(
        description="The code of its way back; null where unknown."
    )
    return_shipment_condition: str | None = column(
        description="How it came back; null where unknown."
    )
    return_shipment_received: datetime | None = column(
        description="When it came back; null before."
    )


@input_type(
    description="Where an event's material is.",
    command=CommandNames(
        {
            f"distribution_{name}": name
            for name in (
                *("code", "process", "status", "errors"),
                *("ordered", "expected", "shipped", "tracked"),
            )
        }
    ),
)
class DistributionInput:
    code: str | None = described("Its code.")
    process: str | None = described("How it is distributed.")
    status: str | None = described("Where it stands.")
    errors: str | None = described("What went wrong.")
    ordered: datetime | None = described("When it was ordered.")
    expected: datetime | None = described("When it is expected.")
    shipped: datetime | None = described("When it was shipped.")
    tracked: datetime | None = described("When it was last tracked.")
    return_shipment_code: str | None = described("The code of its way back.")
    return_shipment_condition: str | None = described("How it came back.")
    return_shipment_received: datetime | None = described("When it came back.")


COLUMNS = {
    **{name: name for name in DistributionInput.__annotations__},
    **{name: column for column, name in command_names(DistributionInput).names.items()},
}
"""The column of each of the input's fields."""
