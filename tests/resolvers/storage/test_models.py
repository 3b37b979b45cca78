"""The models of tables: declared with SQLModel, and neither mapped nor validated."""

import pytest
from sqlmodel import SQLModel

from resolvers.storage import tables
from resolvers.storage.tables import Booking, EventVersion, WorkerPresence, metadata, table

MODELS = [
    model
    for model in vars(tables).values()
    if isinstance(model, type) and issubclass(model, SQLModel) and model is not SQLModel
]


def test_every_table_belongs_to_a_model():
    assert {table(model) for model in MODELS} == set(metadata.tables.values())


@pytest.mark.parametrize(
    ("model", "name"),
    [(Booking, "booking"), (EventVersion, "event_version"), (WorkerPresence, "worker_presence")],
)
def test_a_table_has_the_name_of_its_model_or_its_own(model: type[SQLModel], name: str):
    assert table(model).name == name
    assert [column.name for column in table(model).columns] == list(model.model_fields)


@pytest.mark.parametrize("model", MODELS)
def test_a_start_makes_neither_mapper_nor_validator(model: type[SQLModel]):
    """Rows are named tuples, and both take a start 0.1 s of CPU."""
    assert not hasattr(model, "__mapper__")
    assert not model.__pydantic_complete__
