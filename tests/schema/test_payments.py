"""Duplicate payments are recorded, found and refunded."""

from tests.plan.both_ways import BothWays
from tests.plan.documents import Document

BOOK = """mutation ($input: BookEnrolmentInput!) { bookEnrolment(input: $input) {
  enrolment { id payment { reference duplicates { providerReference } } }
  errors { code message path } } }"""

RECORD = """mutation ($input: RecordPaymentInput!) { recordPayment(input: $input) {
  changed warnings { code path } errors { code message path }
  payment { status providerReference
    duplicates { provider providerReference method recordedAt refundReference refundedAt } } } }"""

DUPLICATES = """query ($id: ID!) { booking(id: $id) { ... on Enrolment { payment { duplicates {
  provider providerReference method recordedAt refundReference refundedAt } } } } }"""

HISTORY = """query ($id: ID!) { booking(id: $id) { ... on Enrolment {
  payment { status duplicates { providerReference refundedAt refundReference } }
  history { nodes { type changedFields after } } } } }"""


async def test_a_second_payment_can_be_found_and_refunded(client, world):
    """A second payment adds a warning, a duplicate of the payment and changes in the history, and
    can be refunded.
    """
    cost = {"amount": "10.00", "currency": "GBP"}
    asked = {"candidate": {"reference": "P1"}, "event": {"id": world.event}}
    booked = await client.of(BOOK, input={**asked, "payment": {"cost": cost}})
    enrolment = booked["enrolment"]
    reference = {"paymentReference": enrolment["payment"]["reference"], "provider": "stripe"}
    paid = {**reference, "status": "PAID", "method": "CARD"}

    await client.of(RECORD, input={**paid, "providerReference": "pi_1"})
    second = await client.of(RECORD, input={**paid, "providerReference": "pi_2"})
    refund = {**reference, "status": "REFUNDED", "providerReference": "re_2"}
    await client.of(RECORD, input={**refund, "duplicateReference": "pi_2"})
    found = await client.of(HISTORY, id=enrolment["id"])

    assert enrolment["payment"]["duplicates"] == []
    assert second == {
        "changed": True,
        "warnings": [{"code": "PAID_TWICE", "path": ["input", "providerReference"]}],
        "errors": [],
        "payment": {
            "status": "PAID",
            "providerReference": "pi_1",
            "duplicates": [
                {
                    "provider": "stripe",
                    "providerReference": "pi_2",
                    "method": "CARD",
                    "recordedAt": "2027-01-11T12:00:00Z",
                    "refundReference": None,
                    "refundedAt": None,
                }
            ],
        },
    }
    assert found["payment"] == {
        "status": "PAID",
        "duplicates": [
            {
                "providerReference": "pi_2",
                "refundedAt": "2027-01-11T12:00:00Z",
                "refundReference": "re_2",
            }
        ],
    }
    changes = found["history"]["nodes"]
    assert [change["type"] for change in changes] == ["CREATED", *["PAYMENT_CHANGED"] * 3]
    assert changes[2]["after"]["payment"]["duplicates"][0]["refundedAt"] is None


async def test_duplicates_are_read_by_a_plan(client, world):
    """A plan returns the same result as graphql-core, with a method and without one."""
    cost = {"amount": "10.00", "currency": "GBP"}
    asked = {"candidate": {"reference": "P1"}, "event": {"id": world.event}}
    enrolment = (await client.of(BOOK, input={**asked, "payment": {"cost": cost}}))["enrolment"]
    paid = {"paymentReference": enrolment["payment"]["reference"], "status": "PAID"}
    for number, method in enumerate((None, None, "CARD")):
        given = {**paid, "providerReference": f"pi_{number}", "method": method}
        await client.of(RECORD, input=given)
    both, document = (
        BothWays(client.schema, client.storage),
        Document(DUPLICATES, {"id": enrolment["id"]}),
    )

    by_plan = await both.by_plans(document, client.viewer)

    assert by_plan.agrees(await both.by_core(document, client.viewer))
    assert b'"method":"CARD"' in by_plan.data
    assert both.planner.counts.answered == 1
