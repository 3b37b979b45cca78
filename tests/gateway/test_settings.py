"""Settings: read once, and a wrong one is named."""

from datetime import timedelta

import pytest

from gateway.origins import Origin
from gateway.settings import Settings, WrongSetting


def test_every_variable_is_read():
    settings = Settings.read(
        {
            "GATEWAY_DATABASE_URL": "postgresql://gateway@db/gateway",
            "GATEWAY_ENVIRONMENT": "production",
            "GATEWAY_JWT_SECRET": "s" * 32,
            "GATEWAY_GRAPHIQL": "off",
            "GATEWAY_GRAPHIQL_TOKEN": "a.b.c",
            "GATEWAY_ALLOWED_HOSTS": "Bookings.Example., *.exams.example,[::1], 10.0.0.7",
            "GATEWAY_ALLOWED_ORIGINS": "https://App.example:443, capacitor://localhost",
            "GATEWAY_MAX_CONNECTIONS_PER_VIEWER": "20",
            "GATEWAY_MAX_SUBSCRIPTIONS_PER_VIEWER": "30",
            "GATEWAY_MAX_SUBSCRIPTIONS_PER_CONNECTION": "5",
            "GATEWAY_HEARTBEAT_SECONDS": "10",
            "GATEWAY_SHUTDOWN_SECONDS": "8",
            "GATEWAY_MAX_BODY_BYTES": "2048",
            "GATEWAY_EXPIRE_SECONDS": "5",
            "GATEWAY_WORKER": "off",
            "GATEWAY_LEASE_SECONDS": "20",
            "GATEWAY_MAX_WAIT_MS": "1500",
            "GATEWAY_SMTP_URL": "smtps://gateway:p%40ss@mail.example",
            "GATEWAY_MAIL_FROM": "bookings@exams.example",
            "GATEWAY_NOTIFY_LOCAL": "on",
            "GATEWAY_NOTIFY_PORTS": "8443, 444",
            "GATEWAY_KEEP_DELIVERED_DAYS": "7",
            "GATEWAY_FORGET_SECONDS": "60",
            "GATEWAY_LOG_RETENTION": "90d",
            "GATEWAY_POLL_SECONDS": "30",
            "GATEWAY_REDIS_URL": "rediss://gateway:p%40ss@redis.example:6380/3",
            "GATEWAY_WAKEUP_URL": "postgresql://gateway@db:5432/gateway",
            "GATEWAY_TEST_POSTGRES_URL": "ignored",
        }
    )

    assert settings == Settings(
        database_url="postgresql://gateway@db/gateway",
        environment="production",
        jwt_secret="s" * 32,
        graphiql=False,
        graphiql_token="a.b.c",
        allowed_hosts=("bookings.example", "*.exams.example", "::1", "10.0.0.7"),
        allowed_origins=(
            Origin("https", "app.example", None),
            Origin("capacitor", "localhost", None),
        ),
        max_connections_per_viewer=20,
        max_subscriptions_per_viewer=30,
        max_subscriptions_per_connection=5,
        heartbeat_seconds=10,
        shutdown_seconds=8,
        max_body_bytes=2048,
        expire_seconds=5,
        worker="off",
        lease_seconds=20,
        max_wait_ms=1500,
        smtp_url="smtps://gateway:p%40ss@mail.example",
        mail_from="bookings@exams.example",
        notify_local=True,
        notify_ports=frozenset({444, 8443}),
        keep_delivered_days=7,
        forget_seconds=60,
        log_retention=timedelta(days=90),
        poll_seconds=30,
        redis_url="rediss://gateway:p%40ss@redis.example:6380/3",
        wakeup_url="postgresql://gateway@db:5432/gateway",
    )


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        (
            "GATEWAY_ALLOWED_ORIGINS",
            "https://app.example/path",
            "must be origins such as https://app.example.com, separated by commas, not ",
        ),
        (
            "GATEWAY_DATABASE_URL",
            "mysql://x",
            "must be sqlite:///FILE or postgresql://USER@HOST/DB",
        ),
        ("GATEWAY_DATABASE_URL", "sqlite:///", "must be sqlite:///FILE"),
        ("GATEWAY_ENVIRONMENT", "live", "must be development or production, not 'live'"),
        ("GATEWAY_JWT_SECRET", "é" * 15, "must have at least 32 bytes"),
        ("GATEWAY_LOG_RETENTION", "90", "must be a number of hours or days, as 12h or 90d"),
        ("GATEWAY_LOG_RETENTION", "0d", "must be a number of hours or days, as 12h or 90d"),
        ("GATEWAY_POLL_SECONDS", "0", "must be a whole number from 1 to 3600, not '0'"),
        ("GATEWAY_REDIS_URL", "redis://", "must be redis://USER:PASSWORD@HOST:PORT/NUMBER"),
        ("GATEWAY_REDIS_URL", "redis://h/name", "must be redis://USER:PASSWORD@HOST:PORT/NUMBER"),
        ("GATEWAY_REDIS_URL", "http://h", "must be redis://USER:PASSWORD@HOST:PORT/NUMBER"),
        ("GATEWAY_WAKEUP_URL", "sqlite:///x", "must be postgresql://USER@HOST/DB"),
        ("GATEWAY_GRAPHIQL", "yes", "must be on or off, not 'yes'"),
        ("GATEWAY_GRAPHIQL_TOKEN", "two words", "must be a token"),
        ("GATEWAY_ALLOWED_HOSTS", "", "must be host names or IP addresses without a port"),
        ("GATEWAY_ALLOWED_HOSTS", "a.example,", "must be host names or IP addresses"),
        ("GATEWAY_ALLOWED_HOSTS", "a.example:443", "must be host names or IP addresses"),
        ("GATEWAY_ALLOWED_HOSTS", "https://a.example", "must be host names or IP addresses"),
        ("GATEWAY_ALLOWED_HOSTS", "*", "must be host names or IP addresses"),
        ("GATEWAY_NOTIFY_PORTS", "", "must be ports from 1 to 65535, separated by commas"),
        ("GATEWAY_NOTIFY_PORTS", "443,0", "must be ports from 1 to 65535"),
        ("GATEWAY_NOTIFY_PORTS", "65536", "must be ports from 1 to 65535"),
        ("GATEWAY_NOTIFY_PORTS", "https", "must be ports from 1 to 65535"),
        ("GATEWAY_MAX_BODY_BYTES", "8MB", "must be a whole number from 1024"),
        ("GATEWAY_MAX_BODY_BYTES", "1", "must be a whole number from 1024"),
        ("GATEWAY_EXPIRE_SECONDS", "-1", "must be a whole number from 1"),
        ("GATEWAY_WORKER", "on", "must be embedded or off, not 'on'"),
        ("GATEWAY_LEASE_SECONDS", "0", "must be a whole number from 1"),
        ("GATEWAY_KEEP_DELIVERED_DAYS", "0", "must be a whole number from 1"),
        ("GATEWAY_FORGET_SECONDS", "0", "must be a whole number from 1"),
        ("GATEWAY_SMTP_URL", "mail.example", "must be smtp://HOST:PORT"),
        ("GATEWAY_SMTP_URL", "http://mail.example", "must be smtp://HOST:PORT"),
        ("GATEWAY_SMTP_URL", "smtp://", "must be smtp://HOST:PORT"),
        ("GATEWAY_SMTP_URL", "smtp://mail.example:0", "must be smtp://HOST:PORT"),
        ("GATEWAY_SMTP_URL", "smtp://mail.example:99999", "must be smtp://HOST:PORT"),
        ("GATEWAY_SMTP_URL", "smtp://user@mail.example", "must be smtp://HOST:PORT"),
        ("GATEWAY_SMTP_URL", "smtp://mail.example/path", "must be smtp://HOST:PORT"),
        ("GATEWAY_SMTP_URL", "smtp://mail .example", "must be smtp://HOST:PORT"),
        ("GATEWAY_MAIL_FROM", "nobody", "must be one email address"),
        ("GATEWAY_MAIL_FROM", "Exams <exams@example.org>", "must be one email address"),
        ("GATEWAY_MAIL_FROM", "a@b.example, c@d.example", "must be one email address"),
        ("GATEWAY_MAIL_FROM", "a@b.example\nBcc: c@d.example", "must be one email address"),
        ("GATEWAY_MAIL_FROM", "@example.org", "must be one email address"),
        ("GATEWAY_MAIL_FROM", "", "must be one email address"),
        ("GATEWAY_NOTIFY_LOCAL", "true", "must be on or off, not 'true'"),
        ("GATEWAY_DATABASE", "x", "did you mean GATEWAY_DATABASE_URL?"),
        ("GATEWAY_ZZZ", "x", "there are GATEWAY_DATABASE_URL, GATEWAY_ENVIRONMENT"),
    ],
)
def test_a_wrong_setting_is_named_with_its_rule(name: str, value: str, rule: str):
    with pytest.raises(WrongSetting) as wrong:
        Settings.read({name: value})

    assert str(wrong.value).startswith(f"{name} ")
    assert rule in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_the_password_of_a_wrong_address_is_not_repeated():
    with pytest.raises(WrongSetting) as wrong:
        Settings.read({"GATEWAY_DATABASE_URL": "postgres://gateway:hunter2@db/gateway"})

    assert "hunter2" not in str(wrong.value)


def test_the_password_of_a_wrong_mail_server_is_not_repeated():
    with pytest.raises(WrongSetting) as wrong:
        Settings.read({"GATEWAY_SMTP_URL": "smtp://gateway:hunter2@mail:port"})

    assert "hunter2" not in str(wrong.value)


def test_postgresql_needs_a_secret():
    """Its processes must share one, so none is made."""
    with pytest.raises(WrongSetting, match="GATEWAY_JWT_SECRET is required"):
        _ = Settings(database_url="postgresql://gateway@db/gateway").secret
