"""Commands for bookings of every kind: cancelling, accommodations, cancelled events, expiry.

Code that reads or writes bookings imports this package, so all kinds are known.
"""

import resolvers.every_kind.kinds  # noqa: F401 - makes the kinds known
