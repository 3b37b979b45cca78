"""The differential test: whatever is asked, plans and graphql-core tell the same.

A run takes a quarter of the parts, another one each day; GATEWAY_TEST_SEED chooses it. A document
is known by its seed, which a failure prints. `make compare` runs 20,000 documents, or any number.
"""

from pathlib import Path
from random import Random

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes, queries

from resolvers.storage import Storage
from resolvers.viewer import Viewer
from tests.conftest import SEED
from tests.plan.both_ways import BothWays
from tests.plan.comparing import Tally, compared, compared_leniently
from tests.plan.documents import VALUES, Document, Known, document
from tests.plan.failing import TABLES, failing

# graphql-core forgets the coroutines of fields beside one that raises
pytestmark = [
    pytest.mark.both_databases,
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

MANY = {"sqlite": 75, "postgresql": 40}
"""How many documents each test runs."""


def seeds(storage: Storage, part: int) -> range:
    many = MANY[storage.dialect_name]
    return range(part * many, (part + 1) * many)


def quarter(parts: int) -> range:
    """Every fourth part, from the one that the run's seed chooses."""
    step = min(4, parts)
    return range(SEED % step, parts, step)


@pytest.mark.parametrize("part", quarter(12))
async def test_healthy_data(both: BothWays, there_is: Known, asking: dict[str, Viewer], part: int):
    """Equal data and equal errors; and what has no errors is answered by plans, nearly always."""
    tally = Tally()
    for seed in seeds(both.storage, part):
        await compared(both, there_is, asking, seed, tally)

    # a page that is asked for wrongly, of rows that there are none of, is a reason
    assert len(tally.gave_up_without_reason) <= 0.2 * tally.faultless, tally
    assert tally.answered >= 0.7 * tally.faultless, tally


@pytest.mark.parametrize("part", quarter(8))
async def test_values_that_no_type_can_show(
    schema, broken, there_is: Known, asking: dict[str, Viewer], part: int
):
    """Null where none may be, numbers too large, times with fractions, keys that lead nowhere."""
    tally = Tally()
    async with broken("values") as storage:
        both = BothWays(schema, storage)
        for seed in seeds(storage, 100 + part):
            await compared(both, there_is, asking, seed, tally)

    assert tally.gave_up > 0
    assert tally.answered > 0


@pytest.mark.parametrize("part", quarter(2))
async def test_rows_that_cannot_be_read(
    schema, broken, there_is: Known, asking: dict[str, Viewer], part: int
):
    """Graphql-core reads whole rows: a plan may show the rest of one where graphql-core fails.

    It never shows anything else than graphql-core, and never what no type can show.
    """
    tally = Tally()
    async with broken("rows") as storage:
        both = BothWays(schema, storage)
        for seed in seeds(storage, 200 + part):
            await compared_leniently(both, there_is, asking, seed, tally)

    assert tally.gave_up > 0


@pytest.mark.parametrize("part", quarter(6))
async def test_reads_that_fail(
    both: BothWays, there_is: Known, asking: dict[str, Viewer], part: int
):
    """For each document one table cannot be read."""
    tally = Tally()
    for seed in seeds(both.storage, 300 + part):
        with failing(both.storage, Random(seed).choice(TABLES)):
            await compared(both, there_is, asking, seed, tally)

    assert tally.gave_up > 0
    assert tally.answered > 0


WRITTEN = ("DateTime", "Date", "UUID")
SDL = (Path(__file__).parents[2] / "schema" / "schema.graphql").read_text()


def by_hypothesis_graphql(known: Known, many: int) -> list[str]:
    """Documents that ask for what there is, as far as this generator can be told.

    Every day of four has documents of its own, which are always the same.
    """
    ids = st.sampled_from([one for ids in known.ids.values() for one in ids])
    scalars = {name: st.sampled_from(VALUES[name]).map(nodes.String) for name in WRITTEN}
    strategy = queries(SDL, custom_scalars={**scalars, "ID": ids.map(nodes.String)})
    texts: list[str] = []

    @hypothesis.seed(SEED % 4)
    @settings(
        max_examples=many,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def gather(text: object) -> None:
        texts.append(str(text))

    gather()
    return texts


@pytest.mark.parametrize("database", ["sqlite"], scope="session")
async def test_documents_by_hypothesis_graphql(
    both: BothWays, there_is: Known, asking: dict[str, Viewer]
):
    """Another generator, so that both have not the same blind spot."""
    viewers = [asking[name] for name in sorted(asking)]
    for n, text in enumerate(by_hypothesis_graphql(there_is, 15)):
        asked, viewer = Document(text), viewers[n % len(viewers)]
        told = await both.by_plans(asked, viewer)
        assert told.agrees(await both.by_core(asked, viewer)), text


@pytest.mark.parametrize("database", ["sqlite"], scope="session")
async def test_the_generator_writes_what_clients_write(both: BothWays, there_is: Known):
    """Otherwise the tests above would say little."""
    made = [document(both.schema, there_is, Random(n), both.is_valid) for n in range(200)]
    texts = " ".join(one.text for one in made)

    for piece in (
        "fragment F",
        "... on ",
        "@skip(if: $",
        "@include(if: ",
        "totalCountPrecision",
        "$v1: ",
    ):
        assert piece in texts
