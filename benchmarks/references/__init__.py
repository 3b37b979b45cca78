"""What the gateway is measured against: other ways to answer the same questions from the same data.

hand_written.py     a route for each query: SQL, dicts, orjson. What there is to lose.
stock_strawberry.py Strawberry with the ORM and loaders. What GraphQL in Python usually costs.
stock_executor.py   the gateway's own types and reads, executed by graphql-core document by
document.

bare.py, libraries.py and stock_view.py are started beside the gateway (`benchmarks.start`).
"""
