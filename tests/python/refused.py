"""A client that is refused for a wrong password gets an exception at once."""

from msl.network import connect

from common import MANAGER, error_of, say, time

began = time.monotonic()
error = error_of(connect, password_manager="a guess", **MANAGER)
say("refused", seconds=time.monotonic() - began, **error)
say("accepted", connected=connect(password_manager="the secret", **MANAGER).is_connected())
