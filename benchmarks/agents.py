"""Agent bookings from their arrival to the notification: how many a second.

Everything is received through the storage; then one worker judges and notifies all of it, to a
receiver in a process of its own that accepts whatever comes. Beside it the same number of messages
goes over as many connections to the same receiver without a gateway: no faster can it be told.
"""

import asyncio
import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from multiprocessing.connection import Connection
from typing import Any, Final

import httpcore

import resolvers.every_kind  # noqa: F401 - makes the kinds of booking known
from benchmarks import databases
from gateway.delivering import Deliverer
from gateway.lanes import CONNECTIONS_EACH
from gateway.outgoing.http import SECONDS, HttpSender
from gateway.worker import Worker
from resolvers.agent_bookings.booking import book
from resolvers.agent_bookings.commands import BookAgentBooking
from resolvers.agent_bookings.submission import AgentContact, RequestedProduct, Student, Submission
from resolvers.centres.commands import UpsertCentre, upsert_centres
from resolvers.contacts import Address
from resolvers.notifications import outbox
from resolvers.notifications.commands import RegisterNotification
from resolvers.notifications.endpoints import register
from resolvers.organizations.commands import MakeOrganization, make_organization
from resolvers.outcomes import Outcome
from resolvers.products.commands import (
    UpsertAgentOffice,
    UpsertProduct,
    upsert_agent_offices,
    upsert_products,
)
from resolvers.products.offers import OfferProduct, offer_products
from resolvers.references import ByReference
from resolvers.storage import Storage, storage_at
from resolvers.viewer import PERMISSIONS, Viewer
from resolvers.vocabulary import Gender, NotificationChannel, NotificationTopic, ProductKind, Role

FIRST_DAY: Final = date(2031, 3, 3)
AT_ONCE: Final = 100
OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
MESSAGE: Final = (
    b'{"Topic":"Booking:Success","AgentBookingId":"X1000",'
    b'"EcEnglishBookingId":1000,"EcEnglishStudentId":1000}'
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a step took for all bookings."""

    database: str
    step: str
    bookings: int
    seconds: float
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        return self.bookings / self.seconds


async def measure(kind: str, bookings: int) -> list[Told]:
    """Each step on one kind of database, of its own, which is removed afterwards."""
    url = databases.address(kind, f"{databases.PREFIX}agents_{os.getpid()}")
    await asyncio.to_thread(databases.build_empty, url)
    storage = storage_at(url, outbox.fill)
    await storage.open()
    try:
        with _receiver() as (port, accepted):
            viewer = await _school(storage, f"http://127.0.0.1:{port}/told")
            steps = {
                "received (stage 1)": _receive(storage, viewer, bookings),
                "validated (stage 2) and notified": _work(storage, accepted, bookings),
                "the messages alone, bare client": _messages(port, bookings),
            }
            return [
                Told(kind, step, bookings, *(await _timed(doing))) for step, doing in steps.items()
            ]
    finally:
        await storage.close()
        await asyncio.to_thread(databases.drop, url)


async def _timed(doing: Any) -> tuple[float, float]:
    cpu, began = time.process_time(), time.perf_counter()
    await doing
    return time.perf_counter() - began, time.process_time() - cpu


async def _receive(storage: Storage, viewer: Viewer, bookings: int) -> None:
    commands = [BookAgentBooking(viewer=viewer, submission=_submission(n)) for n in range(bookings)]
    batches = [commands[n : n + AT_ONCE] for n in range(0, bookings, AT_ONCE)]
    for outcomes in await asyncio.gather(*(storage.write(book, batch) for batch in batches)):
        assert all(isinstance(outcome, Outcome) for outcome in outcomes), outcomes


async def _work(storage: Storage, accepted: Any, bookings: int) -> None:
    """Until the receiver has accepted a message about each booking, and that is written down."""
    worker = Worker(
        storage,
        Deliverer(HttpSender(local=True), None, storage.clock),
        lease_seconds=60,
        attempt_seconds=SECONDS,
        expire_seconds=60,
        forget_seconds=600,
        deliveries_kept_for=timedelta(days=30),
    )
    running = asyncio.create_task(worker.run())
    while accepted.value < bookings:  # noqa: ASYNC110 - another process counts
        await asyncio.sleep(0.005)
    worker.stop()
    await running
    assert accepted.value == bookings, "told once each"


async def _messages(port: int, bookings: int) -> None:
    left = iter(range(bookings))

    async def connection() -> None:
        origin = httpcore.Origin(b"http", b"127.0.0.1", port)
        async with httpcore.AsyncHTTPConnection(origin) as opened:
            for _ in left:
                url = httpcore.URL(scheme=b"http", host=b"127.0.0.1", port=port, target=b"/told")
                headers = {"Host": "127.0.0.1", "Content-Length": str(len(MESSAGE))}
                answer = await opened.request("POST", url, headers=headers, content=MESSAGE)
                assert answer.status == 200

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS_EACH)))


# ---------------------------------------------------------------- the world


async def _school(storage: Storage, url: str) -> Viewer:
    """A school with a course from one Monday on, and somebody who is told of every booking."""
    command: Any = MakeOrganization(name="Agencies", time_zone="Europe/London", currency="GBP")
    [made] = await storage.write(make_organization, [command])
    assert isinstance(made, Outcome)
    viewer = Viewer(
        organization_id=made.subject,
        role=Role.ADMIN,
        name="admin",
        key="admin:admin",
        permissions=PERMISSIONS[Role.ADMIN],
    )
    centre = UpsertCentre(
        viewer=viewer, reference="S333", name="Brighton", time_zone="Europe/London", is_school=True
    )
    office = UpsertAgentOffice(viewer=viewer, code="2983", name="Madrid", agency="Agencies")
    course = UpsertProduct(viewer=viewer, code="C92", kind=ProductKind.COURSE, name="English")
    offer = OfferProduct(
        viewer=viewer,
        product=ByReference("C92"),
        centre=ByReference("S333"),
        start_dates=(FIRST_DAY,),
        capacity=100_000,
    )
    told = RegisterNotification(
        viewer=viewer,
        topics=(NotificationTopic.AGENT_BOOKING_SUCCESS,),
        channel=NotificationChannel.HTTP_JSON,
        url=url,
        local=True,
    )
    steps: list[tuple[Any, Any]] = [
        (upsert_centres, centre),
        (upsert_agent_offices, office),
        (upsert_products, course),
        (offer_products, offer),
        (register, told),
    ]
    for run, given in steps:
        [outcome] = await storage.write(run, [given])
        assert isinstance(outcome, Outcome), outcome
    return viewer


def _submission(n: int) -> Submission:
    return Submission(
        agent_booking_id=f"X{n}",
        agent_office_code="2983",
        agent_contact=AgentContact(
            first_names="Anna", last_name="Polishchuk", email="anna@agency.example"
        ),
        school_code="S333",
        student=Student(
            first_names=f"Student {n}",
            last_name="Smith",
            passport_number=f"P{n}",
            passport_issuing_country="ES",
            date_of_birth=date(1993, 2, 20),
            gender=Gender.FEMALE,
            country_of_birth="ES",
            nationality="ES",
            address=Address(city="Madrid", country_iso_code="ES"),
        ),
        courses=(RequestedProduct(code="C92", date_from=FIRST_DAY, number_of_weeks=3),),
    )


# ---------------------------------------------------------------- the receiver


@contextmanager
def _receiver() -> Iterator[tuple[int, Any]]:
    """The port of a receiver, and how many messages it has accepted."""
    spawn = multiprocessing.get_context("spawn")
    accepted = spawn.Value("i", 0)
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_receive_all, args=(theirs, accepted), daemon=True)
    process.start()
    try:
        yield ours.recv(), accepted
    finally:
        process.kill()
        process.join()


def _receive_all(told: Connection, accepted: Any) -> None:
    asyncio.run(_accept(told, accepted))


async def _accept(told: Connection, accepted: Any) -> None:
    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break  # whoever has told everything hangs up
            [length] = [
                int(line.partition(b":")[2])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length:")
            ]
            await reader.readexactly(length)
            accepted.value += 1
            writer.write(OK)
        writer.close()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    told.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def markdown(measured: list[list[Told]]) -> str:
    """A table of all steps."""
    lines = [
        "Agent bookings, all of one endpoint; CPU of the process that works",
        "",
        "| database | step | bookings/s | CPU, ms a booking |",
        "|---|---|--:|--:|",
    ]
    for one in (one for ones in measured for one in ones):
        milliseconds = 1000 * one.cpu_seconds / one.bookings
        lines.append(
            f"| {one.database} | {one.step} | {one.per_second:,.0f} | {milliseconds:.3f} |"
        )
    return "\n".join(lines) + "\n"
