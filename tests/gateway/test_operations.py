"""Operations: what is kept of documents, and what a document may be."""

import time

import pytest
import strawberry
from graphql import ExecutionResult, OperationType, get_introspection_query

from gateway import operations
from gateway.operations import Operations
from gateway.request import GraphQLRequest
from resolvers.caching import CacheBudget


@strawberry.type
class Query:
    number: int = 1

    @strawberry.field
    def again(self) -> "Query":
        return Query()


SCHEMA = strawberry.Schema(Query)


async def errors_of(text: str) -> list[str]:
    result = await Operations(SCHEMA).execute(GraphQLRequest(text), None)
    assert isinstance(result, ExecutionResult)
    return [error.message for error in result.errors or ()]


def nested(levels: int) -> str:
    return "{" + "again {" * (levels - 1) + "number" + "}" * levels


async def test_selections_may_be_twenty_levels_deep_and_no_deeper():
    assert await errors_of(nested(20)) == []
    assert await errors_of(nested(21)) == ["The selections are nested deeper than 20 levels."]


async def test_fragments_count_where_they_are_spread():
    """Ten levels, spread at the tenth and then at the eleventh."""
    inner = "fragment F on Query { ... on Query " + nested(10) + " }"

    assert await errors_of("{" + "again {" * 10 + "...F" + "}" * 11 + inner) == []
    assert await errors_of("{" + "again {" * 11 + "...F" + "}" * 12 + inner) != []


@pytest.mark.parametrize(
    "repeated",
    [
        "number " * 2000,
        "... { number } " * 2000,
        "again { number } " * 2000,
        " ".join(f"number: again {{ a{n}: number }}" for n in range(1000)),
        "again { " + "... on Query { again { number } } " * 500 + "} ",
        "again { again { number } } " * 500,
    ],
)
async def test_a_document_that_repeats_a_field_too_often_is_told_which(repeated: str):
    """It has no fragments to blame, whatever graphql-core's recursion ends with."""
    [message] = await errors_of("{" + repeated + "}")

    assert message.endswith("is selected more than 50 times at one place.")
    assert message.startswith(("'number'", "'again'"))


async def test_a_field_may_be_repeated_fifty_times_at_one_place():
    """Under two aliases it is at two places."""
    fifty = "... { number } " * 25 + "number " * 25

    assert await errors_of("{ a: again {" + fifty + "} b: again {" + fifty + "} }") == []
    assert len(await errors_of("{ a: again { number " + fifty + "} }")) == 1


async def test_a_long_chain_of_fragments_is_told_what_is_wrong():
    chain = "".join(f"fragment F{n} on Query {{ ...F{n + 1} }} " for n in range(500))

    [message] = await errors_of("{ ...F0 } " + chain + "fragment F500 on Query { number }")

    assert message == "The fragments are nested too deeply or repeat too many fields."


async def test_what_no_operation_reaches_is_not_its_depth():
    """Of two operations only the deep one is wrong, and a document is judged as a whole."""
    assert len(await errors_of(f"query A {nested(3)} query B {nested(30)}")) >= 1


@pytest.mark.parametrize(
    "text",
    [
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        "{ ...A } fragment A on Query { again { ...A } }",
        "{ ...Missing }",
    ],
)
async def test_fragments_in_a_circle_are_refused(text: str):
    assert await errors_of(text) != []


@pytest.mark.parametrize(
    "text",
    [
        # each fragment spreads the next one twice: 2 ** 60 selections for whoever walks them all
        "{ ...F0 }"
        + "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(60))
        + "fragment F60 on Query { number }",
        "{ ...F0 }"
        + "".join(f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(1_500))
        + "fragment F1500 on Query { number }",
        "{" * 50_000,
        "{ number " * 5_000,
        '{ a: number(x: "' + "[" * 50_000,
    ],
)
async def test_a_document_cannot_make_the_server_think_for_long(text: str):
    started = time.process_time()

    await errors_of(text)

    assert time.process_time() - started < 2


async def test_a_document_of_too_many_tokens_is_refused():
    assert "20000 tokens" in (await errors_of("{" + "number " * 20_000 + "}"))[0]


async def test_introspection_is_allowed():
    assert await errors_of(get_introspection_query()) == []


def test_the_kind_of_a_request_is_that_of_the_operation_it_names():
    made = Operations(SCHEMA)

    assert made.kind(GraphQLRequest("{ number }")) is OperationType.QUERY
    assert made.kind(GraphQLRequest("query A { number } query B { number }")) is None
    assert made.kind(GraphQLRequest("{ nothing }")) is None
    assert made.kind(GraphQLRequest("{")) is None


async def test_a_document_is_read_once(monkeypatch: pytest.MonkeyPatch):
    """Also one that is wrong."""
    made = Operations(SCHEMA)
    for text in ("{ number }", "{ nothing }", "{"):
        await made.execute(GraphQLRequest(text), None)
    monkeypatch.setattr(operations, "parse", lambda *_, **__: pytest.fail("read twice"))

    for text in ("{ number }", "{ nothing }", "{"):
        await made.execute(GraphQLRequest(text), None)


def test_a_kept_document_is_not_read_again_and_a_dropped_one_is():
    """The documents share the budget of all caches."""
    budget = CacheBudget(100_000)
    made = Operations(SCHEMA, budget)
    texts = [f"{{ a{number}: number }}" for number in range(40)]

    for text in texts * 2:
        made.kind(GraphQLRequest("".join(text)))

    assert 0 < len(made._kept) < len(texts)
    assert made._kept.get(texts[-1]) is not None
    assert made._kept.get(texts[0]) is None
    assert budget.used_bytes <= budget.most_bytes


async def test_the_result_is_strawberrys_own():
    """What executes here, and Strawberry's Schema.execute, answer alike."""
    text = "{ number again { number ...F } } fragment F on Query { __typename }"

    ours = await Operations(SCHEMA).execute(GraphQLRequest(text), None)
    theirs = await SCHEMA.execute(text)

    assert isinstance(ours, ExecutionResult)
    assert (ours.data, ours.errors) == (theirs.data, theirs.errors)
