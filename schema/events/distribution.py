"""The distribution of an event's material: to the centre and back."""

from datetime import datetime
from typing import Any

import strawberry

from schema.grammar.declaring import CommandNames, command_names, input_type, object_type
from schema.grammar.fields import OverRow, column, described


@object_type(description="Shipment of the exam material to an event, and back (Shift iQ).")
class Distribution(OverRow):
    row: strawberry.Private[Any]

    code: str | None = column("distribution_code", description="Code of the distribution.")
    process: str | None = column(
        "distribution_process", description="Process that distributes the material."
    )
    status: str | None = column(
        "distribution_status", description="Status of the distribution, as text of Shift iQ."
    )
    errors: str | None = column("distribution_errors", description="Errors of the distribution.")
    ordered: datetime | None = column(
        "distribution_ordered", description="Time when the material was ordered."
    )
    expected: datetime | None = column(
        "distribution_expected", description="Time when the material is expected to arrive."
    )
    shipped: datetime | None = column(
        "distribution_shipped", description="Time when the material was shipped."
    )
    tracked: datetime | None = column(
        "distribution_tracked", description="Time of the last tracking information."
    )
    return_shipment_code: str | None = column(description="Code of the return shipment.")
    return_shipment_condition: str | None = column(
        description="Condition of the returned material."
    )
    return_shipment_received: datetime | None = column(
        description="Time when the returned material arrived."
    )


@input_type(
    description="Shipment of the exam material to an event, and back (Shift iQ).",
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
    code: str | None = described("Code of the distribution.")
    process: str | None = described("Process that distributes the material.")
    status: str | None = described("Status of the distribution, as text of Shift iQ.")
    errors: str | None = described("Errors of the distribution.")
    ordered: datetime | None = described("Time when the material was ordered.")
    expected: datetime | None = described("Time when the material is expected to arrive.")
    shipped: datetime | None = described("Time when the material was shipped.")
    tracked: datetime | None = described("Time of the last tracking information.")
    return_shipment_code: str | None = described("Code of the return shipment.")
    return_shipment_condition: str | None = described("Condition of the returned material.")
    return_shipment_received: datetime | None = described(
        "Time when the returned material arrived."
    )


COLUMNS = {
    **{name: name for name in DistributionInput.__annotations__},
    **{name: column for column, name in command_names(DistributionInput).names.items()},
}
"""The column of each of the input's fields."""
