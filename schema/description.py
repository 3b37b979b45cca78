"""The description of the schema: what a newcomer needs to know about all of its fields."""

from typing import Final

DESCRIPTION: Final = """\
One API over the booking systems of the exam industry: enrolments (Surpass Scheduler), test
schedules (Surpass TestSchedule), registrations (Shift iQ) and agent bookings (EC English).

**Authentication.** Send a token in the header `Authorization: Bearer <token>`. `viewer` returns the
user behind it, with permissions and scope. You see only data of your organization and scope; an
object that you may not see is treated like one that does not exist.

**Null** means that a value is not known, not set, or not for you to see; descriptions mention it
only if it means more. A root field is null if the object was not found, or if there is an error at
its path.

**Errors.** A mutation that is refused changes nothing, and returns all reasons in `errors`, each
with a `code`, a `message` for people and the `path` of the input. Top-level errors report invalid
documents, missing authentication and failures of the server.

**Lists** return at most 100 elements for each page, 20 by default: pass `pageInfo.endCursor` as
`after` to read the next page.

**Changes.** `changesCursor` of a list, and `cursor` of each change, is a position in the log of all
changes. Pass it as `after` to `bookingChanged` or `eventChanged` to receive everything since, once
and in order.

**Times.** DateTime is an instant in UTC. LocalDateTime, Date and Time are local times of the
centre; its time zone is next to them.

**Retries.** Send an `idempotencyKey` with a mutation to make it safe to repeat. Send
`expectedVersion` to make sure that an object has not changed since you read it.

**Stability.** Fields and enum values are added at any time. A field that will be removed is marked
as deprecated first, with its replacement, for at least 12 months.
"""
