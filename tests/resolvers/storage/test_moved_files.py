"""A SQLite database whose file is deleted or replaced while it is open is not used any more."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from resolvers.notifications import outbox
from resolvers.storage import Overloaded, storage_at
from tests.conftest import SettableClock
from tests.patience import eventually
from tests.resolvers.storage.conftest import Receipts

FILES = ("", "-wal", "-shm")


@pytest.fixture
def file(database_url: str) -> Path:
    return Path(database_url.removeprefix("sqlite:///"))


def delete(file: Path, template: Path | None = None) -> None:
    file.unlink()


def part(file: Path, suffix: str) -> Path:
    return Path(f"{file}{suffix}")


def replace(file: Path, template: Path) -> None:
    """Restore as `cp` and `mv` do: another file under the same name."""
    copy = file.with_name("restored")
    shutil.copy(template, copy)
    copy.rename(file)


def rename(file: Path, template: Path | None = None) -> None:
    file.rename(file.with_name("elsewhere"))


def rename_back(file: Path) -> None:
    file.with_name("elsewhere").rename(file)


def exists(file: Path) -> bool:
    return file.exists()


@pytest.mark.parametrize("suffix", FILES)
@pytest.mark.parametrize("move", [delete, replace, rename])
async def test_writes_are_rejected_once_a_file_was_moved(
    receipts: Receipts, file: Path, sqlite_template: Path, move: Any, suffix: str
) -> None:
    """The next write is rejected, and every one after it."""
    await receipts.storage.write(receipts.write, ["before"])

    move(part(file, suffix), sqlite_template)

    for n in range(3):
        with pytest.raises(Overloaded):
            await receipts.storage.write(receipts.write, [f"{n}"])


async def test_a_write_is_not_acknowledged_if_the_file_is_deleted_before_its_commit(
    receipts: Receipts, file: Path
) -> None:
    """The file is deleted inside the transaction, after its rows were written."""

    def run(work: Any, texts: Any) -> Any:
        results = receipts.write(work, texts)
        work.flush()
        file.unlink()
        return results

    with pytest.raises(Overloaded):
        await receipts.storage.write(run, ["one"])


@pytest.mark.parametrize("suffix", FILES)
async def test_reads_are_rejected_once_a_file_was_moved(
    receipts: Receipts, file: Path, suffix: str
) -> None:
    """Rows of a deleted file are shown for a quarter of a second at most."""
    await receipts.storage.write(receipts.write, ["before"])
    assert await receipts.written() == ["before"]

    delete(part(file, suffix))

    async def is_rejected() -> bool:
        try:
            return await receipts.written() != ["before"]
        except Overloaded:
            return True

    await eventually(is_rejected)
    with pytest.raises(Overloaded):
        await receipts.written()


async def test_writing_goes_on_once_the_file_is_back(receipts: Receipts, file: Path) -> None:
    """The same file under its own name is the database again."""
    rename(file)
    with pytest.raises(Overloaded):
        await receipts.storage.write(receipts.write, ["rejected"])

    rename_back(file)

    await receipts.storage.write(receipts.write, ["accepted"])
    assert await receipts.written() == ["accepted"]


async def test_a_restored_file_is_left_alone(
    receipts: Receipts, file: Path, sqlite_template: Path, clock: SettableClock
) -> None:
    """A storage of a replaced file neither writes to the new one nor deletes its log."""
    await receipts.storage.write(receipts.write, ["old"])
    for suffix in FILES:
        delete(part(file, suffix))
    shutil.copy(sqlite_template, file)
    restored = storage_at(f"sqlite:///{file}", outbox.fill, clock=clock)
    await restored.open()
    with pytest.raises(Overloaded):
        await receipts.storage.write(receipts.write, ["rejected"])

    await receipts.storage.close()
    assert all(exists(part(file, suffix)) for suffix in FILES)
    await restored.close()

    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM import_receipt").fetchone() == (0,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("suffix", FILES[1:])
async def test_what_was_acknowledged_survives_the_loss_of_the_log(
    receipts: Receipts, file: Path, suffix: str
) -> None:
    """What was committed before the log was deleted is in the file after a stop."""
    await receipts.storage.write(receipts.write, ["acknowledged"])
    delete(part(file, suffix))
    with pytest.raises(Overloaded):
        await receipts.storage.write(receipts.write, ["rejected"])

    await receipts.storage.close()

    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute("SELECT content_hash FROM import_receipt").fetchall()
    assert rows == [("acknowledged",)]
