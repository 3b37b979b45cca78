"""What the speed figures in README come from. `python -m benchmarks --help` lists the commands.

data.py         the rows: a deterministic world of any size
databases.py    the same world on SQLite and PostgreSQL, kept between runs
queries.py      the documents, and the variables that every server is asked with
references/     what the gateway is compared with
serve.py        one server in a process of its own; servers.py starts and stops it
drivers.py      what it is compared with where only the database counts: the bare driver
load.py         keeps it busy over a number of connections, and checks what it answers
reads.py        the measurement: servers by queries by connections, interleaved
report.py       the tables
profile.py      where a server's time goes
books.py        how many bookings a second, and what one costs
booking_world.py, rush.py, subscribers.py, database_cpu.py    what it books in, with, and measures
book_growth.py  what a booking costs as the data grows
events.py       how long a page of events takes, by three criteria
start.py        the CPU time of a start until its first answers
"""
