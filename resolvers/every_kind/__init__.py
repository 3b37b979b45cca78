"""What reaches bookings of every kind: cancelling, accommodations, cancelled events, expiry.

Whoever reads or writes bookings imports this package, so that their kinds are known.
"""

import resolvers.every_kind.kinds  # noqa: F401 - makes the kinds known
