"""The secret beside a SQLite database: made once, and its loss is reported."""

import asyncio
import logging
import shutil
import stat
from pathlib import Path

import pytest

from gateway.kept_secret import FILE
from gateway.settings import PRODUCTION, Settings, WrongSetting
from resolvers.notifications import outbox
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.outcomes import Outcome
from resolvers.storage import storage_at

MISSING = "is missing, although the database has organizations"


@pytest.fixture
def empty(tmp_path: Path, sqlite_template: Path) -> Settings:
    """Of a database that has no organization."""
    shutil.copy(sqlite_template, tmp_path / "gateway.db")
    return Settings(database_url=f"sqlite:///{tmp_path}/gateway.db")


@pytest.fixture
def restored(empty: Settings) -> Settings:
    """Of a database that has an organization, without its secret."""

    async def add_organization() -> None:
        storage = storage_at(empty.database_url, outbox.fill)
        await storage.open()
        command = MakeOrganization(name="Northfield", time_zone="UTC", currency="GBP")
        [outcome] = await storage.write(make_organization, [command])
        assert isinstance(outcome, Outcome)
        await storage.close()

    asyncio.run(add_organization())
    return empty


def test_beside_a_sqlite_file_the_secret_is_made_once_and_is_its_owners_alone(tmp_path: Path):
    settings = Settings(database_url=f"sqlite:///{tmp_path}/data/gateway.db")

    first, second = settings.secret, settings.secret

    kept = tmp_path / "data" / "jwt-secret"
    assert first == second == kept.read_text()
    assert len(first) >= 32
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert list(kept.parent.iterdir()) == [kept]


def test_a_kept_secret_that_is_too_short_is_refused(tmp_path: Path):
    (tmp_path / "jwt-secret").write_text("short")

    with pytest.raises(WrongSetting, match="shorter than 32 bytes"):
        _ = Settings(database_url=f"sqlite:///{tmp_path}/gateway.db").secret


def test_the_first_secret_is_made_without_a_warning(
    empty: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    """It is made before the first organization, and used from then on."""
    empty.make_first_secret()
    first = (tmp_path / FILE).read_text()

    empty.make_first_secret()

    assert empty.secret == first
    assert caplog.records == []


def test_a_lost_secret_is_reported(restored: Settings, caplog: pytest.LogCaptureFixture):
    """The gateway starts with a new secret, and says once that tokens are no longer valid."""
    secrets = {restored.secret, restored.secret}

    assert len(secrets) == 1
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert MISSING in record.getMessage()
    assert "no longer valid" in record.getMessage()


def test_a_lost_secret_is_not_replaced_by_other_commands(restored: Settings, tmp_path: Path):
    """`migrate`, `organization` and `demo` make a secret only before the first organization."""
    restored.make_first_secret()

    assert not (tmp_path / FILE).exists()


def test_in_production_a_lost_secret_stops_the_start(restored: Settings, tmp_path: Path):
    """Neither is a new one made."""
    settings = Settings(database_url=restored.database_url, environment=PRODUCTION)

    with pytest.raises(WrongSetting, match=MISSING):
        _ = settings.secret

    assert not (tmp_path / FILE).exists()


def test_in_production_the_first_secret_is_made(empty: Settings):
    """A new database may keep its secret beside it there, too."""
    settings = Settings(database_url=empty.database_url, environment=PRODUCTION)

    assert settings.secret == empty.secret
