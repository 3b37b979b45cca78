"""Tokens: who is let in, as whom, and for how long."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest

from gateway import auth
from gateway.auth import (
    Authenticator,
    TokenExpired,
    TokenMissing,
    TokenNotYetValid,
    TokenRefused,
    make_token,
)
from resolvers.outcomes import Outcome
from resolvers.storage import Storage, UnitOfWork
from resolvers.storage.columns import new_key
from resolvers.storage.rows import changed, new_row
from resolvers.storage.tables import (
    AgentOffice,
    Candidate,
    Centre,
    Subject,
    User,
    UserAgentOffice,
    UserCentre,
    UserSubject,
)
from resolvers.viewer import EVERYTHING, NOTHING, PERMISSIONS, Scope
from resolvers.vocabulary import Role
from tests.conftest import SettableClock

SECRET = "a secret of thirty-two bytes, or more"


@pytest.fixture
def authenticator(storage: Storage, clock: SettableClock) -> Authenticator:
    return Authenticator(storage, SECRET, clock)


@pytest.fixture
def bearer(organization_id: UUID, clock: SettableClock) -> Callable[..., str]:
    def make(**options: Any) -> str:
        given = {"organization_id": organization_id, "role": "admin", "now": clock.now, "hours": 1}
        return "Bearer " + make_token(secret=SECRET, **{**given, **options})

    return make


@pytest.fixture
def claiming(organization_id: UUID, clock: SettableClock) -> Callable[..., str]:
    """A well-signed token with other claims; None leaves one out."""

    def make(**claims: Any) -> str:
        ours = {
            "org": str(organization_id),
            "role": "admin",
            "sub": "admin",
            "exp": int(clock.now.timestamp()) + 60,
        }
        given = {name: value for name, value in {**ours, **claims}.items() if value is not None}
        return "Bearer " + jwt.encode(given, SECRET, algorithm="HS256")

    return make


async def insert(storage: Storage, *rows: tuple[Any, dict[str, Any]]) -> None:
    def run(work: UnitOfWork, commands: Sequence[Any]) -> list[Outcome]:
        for model, values in commands:
            work.insert(model, [new_row(model, **values)])
        return [Outcome(new_key()) for _ in commands]

    await storage.write(run, rows)


@pytest.fixture
async def user_id(storage: Storage, organization_id: UUID) -> UUID:
    """A scheduler with one centre and one subject."""
    mine = {"organization_id": organization_id}
    user, centre, subject = new_key(), new_key(), new_key()
    named = {"reference": "R", "name": "N", "search_text": "n"}
    await insert(
        storage,
        (User, {**mine, "id": user, "reference": "U1", "name": "Uma", "role": Role.SCHEDULER}),
        (Centre, {**mine, "id": centre, **named, "time_zone": "Europe/London"}),
        (Subject, {**mine, "id": subject, **named}),
        (UserCentre, {**mine, "user_id": user, "centre_id": centre}),
        (UserSubject, {**mine, "user_id": user, "subject_id": subject}),
    )
    return user


async def change_user(
    storage: Storage, organization_id: UUID, user_id: UUID, **values: Any
) -> None:
    def run(work: UnitOfWork, commands: Sequence[Any]) -> list[Outcome]:
        [user] = work.lock(User, organization_id, [user_id])
        work.save(User, [(user, changed(user, **values))])
        return [Outcome(user_id)]

    await storage.write(run, [None])


async def test_a_token_without_a_user_is_its_role_in_the_whole_organization(
    authenticator: Authenticator, bearer: Callable[..., str], organization_id: UUID
):
    viewer = await authenticator.viewer(bearer(role="centre-staff"))

    assert viewer.organization_id == organization_id
    assert viewer.role is Role.CENTRE_STAFF
    assert viewer.permissions == PERMISSIONS[Role.CENTRE_STAFF]
    assert viewer.scope == EVERYTHING


async def test_tokens_without_a_user_do_not_share_idempotency_keys(
    authenticator: Authenticator,
    bearer: Callable[..., str],
    claiming: Callable[..., str],
    clock: SettableClock,
):
    """Each token of the command line has an id; without one, the token's own text counts."""
    later = int(clock.now.timestamp()) + 90
    made = [bearer(), bearer(), claiming(jti="1"), claiming(jti="2")]
    tokens = [*made, claiming(), claiming(exp=later)]

    keys = [(await authenticator.viewer(token)).key for token in tokens]

    assert len({*keys}) == len(tokens)
    assert all(len(key) <= 250 for key in keys)


async def test_tokens_of_one_subject_share_idempotency_keys(
    authenticator: Authenticator, bearer: Callable[..., str]
):
    """A renewed token repeats the calls of the one before; another role or subject does not."""
    renewed = [bearer(subject="robot"), bearer(subject="robot", hours=2)]
    other = [bearer(subject="robot 2"), bearer(subject="robot", role="scheduler")]

    keys = [(await authenticator.viewer(token)).key for token in (*renewed, *other)]

    assert keys[0] == keys[1] == "admin:robot"
    assert len({*keys}) == 3


async def test_a_users_own_role_and_scope_count(
    authenticator: Authenticator,
    bearer: Callable[..., str],
    storage: Storage,
    organization_id: UUID,
    user_id: UUID,
):
    """The token says admin; the row says scheduler of one centre and one subject."""
    viewer = await authenticator.viewer(bearer(role="admin", user_id=user_id))

    assert viewer.role is Role.SCHEDULER
    assert viewer.key == user_id.hex
    assert viewer.name == "Uma"
    assert viewer.scope.centres is not None
    assert len(viewer.scope.centres) == 1
    assert viewer.scope.subjects is not None
    assert len(viewer.scope.subjects) == 1


@pytest.mark.parametrize(
    ("role", "scope"),
    [(Role.ADMIN, EVERYTHING), (Role.CANDIDATE, NOTHING), (Role.AGENT, NOTHING)],
)
async def test_what_a_user_may_see_is_read_at_every_request(
    authenticator: Authenticator,
    bearer: Callable[..., str],
    storage: Storage,
    organization_id: UUID,
    user_id: UUID,
    role: Role,
    scope: Scope,
):
    token = bearer(user_id=user_id)
    await authenticator.viewer(token)

    await change_user(storage, organization_id, user_id, role=role)

    viewer = await authenticator.viewer(token)
    assert (viewer.role, viewer.scope) == (role, scope)


async def test_a_candidates_scope_is_itself(
    authenticator: Authenticator,
    bearer: Callable[..., str],
    storage: Storage,
    organization_id: UUID,
    user_id: UUID,
):
    candidate = new_key()
    names = {"reference": "C", "first_names": "A", "last_name": "B", "search_text": "a b"}
    row = {"organization_id": organization_id, "id": candidate, **names}
    await insert(storage, (Candidate, row))

    await change_user(
        storage, organization_id, user_id, role=Role.CANDIDATE, candidate_id=candidate
    )

    viewer = await authenticator.viewer(bearer(user_id=user_id))
    assert viewer.scope == Scope(candidate=candidate)


async def test_an_agents_scope_is_its_offices(
    authenticator: Authenticator,
    bearer: Callable[..., str],
    storage: Storage,
    organization_id: UUID,
    user_id: UUID,
):
    """And nothing else that the user was given in another role."""
    office, mine = new_key(), {"organization_id": organization_id}
    names = {"code": "2983", "name": "N", "search_text": "n", "agency": "A"}
    await insert(
        storage,
        (AgentOffice, {**mine, "id": office, **names}),
        (UserAgentOffice, {**mine, "user_id": user_id, "agent_office_id": office}),
    )

    await change_user(storage, organization_id, user_id, role=Role.AGENT)

    viewer = await authenticator.viewer(bearer(user_id=user_id))
    assert viewer.scope == Scope(agent_offices=frozenset({office}))


async def test_a_user_who_is_no_longer_active_is_refused_at_once(
    authenticator: Authenticator,
    bearer: Callable[..., str],
    storage: Storage,
    organization_id: UUID,
    user_id: UUID,
):
    token = bearer(user_id=user_id)
    await authenticator.viewer(token)

    await change_user(storage, organization_id, user_id, active=False)

    with pytest.raises(TokenRefused, match="not active"):
        await authenticator.viewer(token)


@pytest.mark.parametrize("given", [None, "", "  "])
async def test_no_token_is_told_what_to_send(authenticator: Authenticator, given: str | None):
    with pytest.raises(TokenMissing, match="Authorization: Bearer TOKEN"):
        await authenticator.viewer(given)


@pytest.mark.parametrize("given", ["Basic dXNlcg==", "Bearer", "Bearer ", "token"])
async def test_another_scheme_is_told_the_form(authenticator: Authenticator, given: str):
    with pytest.raises(TokenRefused, match="'Bearer TOKEN'"):
        await authenticator.viewer(given)


@pytest.mark.parametrize("given", ["x", "a.b.c", "é.é.é", "\ud800", "e30.e30.", "." * 1000])
async def test_what_is_no_token_is_malformed(authenticator: Authenticator, given: str):
    with pytest.raises(TokenRefused, match=r"malformed|not signed"):
        await authenticator.viewer(f"Bearer {given}")


async def test_a_token_that_somebody_else_signed_is_refused(
    authenticator: Authenticator, organization_id: UUID, clock: SettableClock
):
    theirs = make_token(
        secret="x" * 32, organization_id=organization_id, role="admin", now=clock.now, hours=1
    )

    with pytest.raises(TokenRefused, match="not signed by this gateway"):
        await authenticator.viewer(f"Bearer {theirs}")


async def test_a_token_without_a_signature_is_refused(
    authenticator: Authenticator, organization_id: UUID
):
    claims = {"org": str(organization_id), "role": "admin", "sub": "admin", "exp": 2**33}
    unsigned = jwt.encode(claims, None, algorithm="none")

    with pytest.raises(TokenRefused):
        await authenticator.viewer(f"Bearer {unsigned}")


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        ({"org": None}, "'org' must be a UUID"),
        ({"org": "north"}, "'org' must be a UUID"),
        ({"org": 7}, "'org' must be a UUID"),
        ({"org": str(uuid4())}, "organization does not exist"),
        ({"role": None}, "'role' must be one of admin, scheduler"),
        ({"role": "ADMIN"}, "'role' must be one of"),
        ({"role": ["admin"]}, "'role' must be one of"),
        ({"sub": None}, "'sub' must be printable text"),
        ({"sub": "x" * 201}, "'sub' must be printable text"),
        ({"sub": "a\0b"}, "'sub' must be printable text"),
        ({"user": "uma"}, "'user' must be a UUID"),
        ({"user": str(uuid4())}, "user does not exist"),
        ({"role": "agent"}, "role 'agent' must name a user in its claim 'user'"),
        ({"role": "candidate"}, "role 'candidate' must name a user in its claim 'user'"),
        ({"jti": 7}, "'jti' must be printable text"),
        ({"jti": "x" * 201}, "'jti' must be printable text"),
        ({"nbf": "noon"}, "'nbf' must be a time"),
        ({"iat": [1]}, "'iat' must be a time"),
        ({"exp": None}, "'exp' must be a time"),
        ({"exp": True}, "'exp' must be a time"),
        ({"exp": 10**30}, "'exp' must be a time"),
    ],
)
async def test_a_wrong_claim_is_named(
    authenticator: Authenticator, claiming: Callable[..., str], claims: dict[str, Any], told: str
):
    with pytest.raises(TokenRefused, match=told):
        await authenticator.viewer(claiming(**claims))


async def test_a_token_is_valid_until_it_expires_and_no_longer(
    authenticator: Authenticator, bearer: Callable[..., str], clock: SettableClock
):
    """Also when it is known from before."""
    token = bearer(hours=1)
    clock.now += timedelta(minutes=59, seconds=59)
    await authenticator.viewer(token)

    clock.now += timedelta(seconds=1)

    with pytest.raises(TokenExpired):
        await authenticator.viewer(token)


@pytest.mark.parametrize("claim", ["nbf", "iat"])
async def test_a_token_of_the_future_is_refused_until_a_minute_before(
    authenticator: Authenticator,
    claiming: Callable[..., str],
    clock: SettableClock,
    claim: str,
):
    """The issuer's clock may be a minute ahead of the gateway's, and no more."""
    now = int(clock.now.timestamp())
    token = claiming(**{claim: now + 61, "exp": now + 3600})

    with pytest.raises(TokenNotYetValid, match=f"'{claim}' is 2027-01-11T12:01:01Z"):
        await authenticator.viewer(token)

    clock.now += timedelta(seconds=1)
    assert (await authenticator.viewer(token)).role is Role.ADMIN


async def test_a_known_token_is_not_verified_again(
    authenticator: Authenticator, bearer: Callable[..., str], monkeypatch: pytest.MonkeyPatch
):
    token = bearer()
    first = await authenticator.viewer(token)
    monkeypatch.setattr(jwt, "decode", lambda *_, **__: pytest.fail("decoded twice"))

    assert await authenticator.viewer(token) == first


async def test_the_tokens_that_are_known_are_bounded(
    authenticator: Authenticator, bearer: Callable[..., str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(auth, "KEPT_TOKENS", 3)
    for number in range(10):
        await authenticator.viewer(bearer(subject=f"robot {number}"))

    assert len(authenticator._known) == 3
