"""What the gateway is measured against: other ways to answer the same questions from the same data.

hand_written.py     a route for each query: SQL, dicts, orjson. What there is to lose.
stock_strawberry.py Strawberry with the ORM and loaders. What GraphQL in Python usually costs.
stock_executor.py   the gateway's own types and reads, executed by graphql-core document by
document.

fair_booking.py     a route that books as the gateway does: the same rules (booking_rules.py), rows
and response, in batches (fair_postgresql.py, fair_sqlite.py). What a booking has to cost.
simple_booking.py   a route that raises a counter and inserts one row. For scale.

bare.py, libraries.py and stock_view.py are started beside the gateway (`benchmarks.start`).
"""
