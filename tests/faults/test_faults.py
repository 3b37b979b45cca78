"""Three cheap faults under load, in every run of the tests; `make faults` injects all of them.

The limits here are those that a busy machine keeps. `make faults` compares with the real bars.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import DATABASES
from tests.faults.checking import Findings
from tests.faults.kills import KILLED
from tests.faults.locks import LOG_POSITION
from tests.faults.measuring import Fault, measure
from tests.faults.networks import RESET


@pytest.mark.parametrize("database", DATABASES[1:])
@pytest.mark.parametrize("fault", [LOG_POSITION, RESET], ids=lambda fault: fault.name)
async def test_a_fault_of_the_database_loses_nothing(
    fault: Fault, database_url: str, tmp_path: Path
) -> None:
    """All clients are served after a fault of PostgreSQL, and every promise is kept."""
    await loses_nothing(fault, database_url, tmp_path)


async def test_a_kill_of_the_gateway_loses_nothing(database_url: str, tmp_path: Path) -> None:
    """All clients are served after a kill, from the SQLite file as it was then."""
    await loses_nothing(KILLED, database_url, tmp_path)


async def loses_nothing(fault: Fault, database_url: str, folder: Path) -> None:
    short = replace(fault, seconds=min(fault.seconds, 2))

    measured = await measure(short, folder=folder, database_url=database_url)

    assert measured.findings == Findings()
    assert measured.recovery is not None
    assert measured.waits, "the neighbour has written nothing"
