"""The formats that can be imported. A new format is a module beside this one and a row here."""

from collections.abc import Mapping
from types import MappingProxyType

from resolvers.sources.ec_english.documents import EC_ENGLISH
from resolvers.sources.rows import Format
from resolvers.sources.shift_iq.documents import SHIFT_IQ
from resolvers.sources.surpass_scheduler.documents import SURPASS_SCHEDULER
from resolvers.sources.surpass_test_schedule.documents import SURPASS_TEST_SCHEDULE

FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        format.name: format
        for format in (SURPASS_SCHEDULER, SURPASS_TEST_SCHEDULE, SHIFT_IQ, EC_ENGLISH)
    }
)
"""Each by the name that the command line knows it by."""
