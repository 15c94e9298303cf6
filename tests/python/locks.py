"""Exclusive and shared locks, and services that take one client only."""

from msl.examples.network import Echo
from msl.network import Service

from common import SERVED, client, error_of, link, say, serve


class Single(Service):
    def __init__(self):
        super().__init__(max_clients=1)

    def value(self):
        return 7


if not SERVED:
    serve(Echo())
    serve(Single())
ann, bob, dan = client("Ann"), client("Bob"), client("Dan")


def names(network_names):
    return sorted(name.split("[")[0] for name in network_names)


echo = link(ann, "Echo")
say("exclusive", result=names(echo.acquire_lock()))
say("locked", **error_of(bob.link, "Echo"))
say("released", result=echo.release_lock())

other = link(bob, "Echo")
say("exclusive refused", **error_of(echo.acquire_lock))
say("shared", ann=names(echo.acquire_lock(shared=True)), bob=names(other.acquire_lock(shared=True)))
say("shared locked", **error_of(dan.link, "Echo"))
say("one released", result=names(echo.release_lock()))
other.unlink()
say("freed by unlinking", result=link(dan, "Echo").echo(1))

single = link(ann, "Single")
say("full", **error_of(bob.link, "Single"))
ann.disconnect()
say("free again", result=link(bob, "Single").value(), max_clients=link(bob, "Single").service_max_clients)
