"""A marker sees the schedules that it marks or moderates, at any centre; domain.md, section 8.3."""

from dataclasses import replace
from uuid import UUID

from resolvers.bookings.reads import bookings_by_id, bookings_count
from resolvers.candidates.reads import candidates_by_id
from resolvers.change_reads import changes_count
from resolvers.organizations.users import UpsertUser, upsert_users
from resolvers.references import ByKey
from resolvers.viewer import Viewer, scope_of
from resolvers.vocabulary import Role
from tests.resolvers.asking import in_role
from tests.resolvers.test_schedules.conftest import Schedules


async def user(world: Schedules, reference: str) -> tuple[UUID, Viewer]:
    """A user who can mark and moderate, without subjects."""
    command = UpsertUser(
        viewer=world.viewer,
        reference=reference,
        name=reference,
        role=Role.MARKER,
        may_mark=True,
        may_moderate=True,
    )
    key = await world.made(upsert_users, command)
    viewer = in_role(world, Role.MARKER, scope_of(Role.MARKER, user=key))
    return key, replace(viewer, user_id=key, key=reference)


async def seen(world: Schedules, viewer: Viewer, keys: list[UUID]) -> set[UUID]:
    return {row.id for row in await world.storage.read(bookings_by_id(viewer, keys))}


async def total(world: Schedules, read: object) -> int:
    [row] = await world.storage.read(read)  # type: ignore[arg-type]
    return int(row.total)


async def test_who_marks_or_moderates_sees_it(world: Schedules) -> None:
    """A marker sees the schedule, its changes and its candidate, and no others."""
    mo, marker = await user(world, "MO")
    ma, moderator = await user(world, "MA")
    _, nobody = await user(world, "NO")
    marked = await world.test(
        "MARKED", subject=ByKey(world.subject_key), allows_markers=True, allows_moderators=True
    )
    key = await world.scheduled(test=marked, marker=mo, moderator=ma)
    other = await world.scheduled(test=marked, candidate=await world.associated("C2"), marker=ma)

    assert await seen(world, marker, [key, other]) == {key}
    assert await seen(world, moderator, [key, other]) == {key, other}
    assert await seen(world, nobody, [key, other]) == set()
    for viewer, count in ((marker, 1), (moderator, 2), (nobody, 0)):
        candidates = await world.storage.read(candidates_by_id(viewer, [world.candidate_key]))
        assert len(candidates) == min(count, 1)
        assert await total(world, bookings_count(viewer)) == count
        assert await total(world, changes_count(viewer)) == count


async def test_a_marker_of_the_subject_still_sees_all_of_it(world: Schedules) -> None:
    """The schedules that it marks are added to those of its subjects."""
    key, _ = await user(world, "MO")
    subjects = frozenset({world.subject_key})
    viewer = in_role(world, Role.MARKER, scope_of(Role.MARKER, subjects=subjects, user=key))
    schedule = await world.scheduled()

    assert await seen(world, viewer, [schedule]) == {schedule}
