"""Delivers changes to subscribers.

For each organization with subscribers, a `Channel` reads every new slice of the log once. It
matches each change against the groups of its subscribers: those with the same document, variables
and access rights are one group, for which the document is executed once. A `Subscriber` that
resumes after a cursor, or that reads slowly, reads the log at its own pace until it can join.
"""

from gateway.fanout.hub import Hub
from gateway.fanout.outlets import Outlet
from gateway.fanout.streamed import deliveries
from gateway.fanout.subscribers import Subscriber

__all__ = ["Hub", "Outlet", "Subscriber", "deliveries"]
