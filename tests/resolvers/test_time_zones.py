"""Time zones: the names of tzdata that a browser's `Intl` accepts, on every machine."""

from zoneinfo import ZoneInfo

import pytest

from resolvers.checks import is_time_zone


@pytest.mark.parametrize(
    "name", ["Europe/London", "UTC", "Etc/GMT+12", "EST5EDT", "GB-Eire", "America/Indiana/Knox"]
)
def test_zones_of_tzdata_are_accepted(name):
    assert is_time_zone(name)
    assert ZoneInfo(name).key == name


@pytest.mark.parametrize(
    "name",
    ["localtime", "Factory", "posixrules", "posix/UTC", "right/UTC", "Etc/Unknown", "utc", ""],
)
def test_names_of_the_machine_and_placeholders_are_rejected(name):
    """`localtime` is a zone on the machine that says so, and another zone on the next."""
    assert not is_time_zone(name)
