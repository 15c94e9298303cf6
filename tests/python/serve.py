"""Run the service that the first argument names until the Manager ends the connection.

The second argument, if any, is the Manager's password.
"""

import threading

from msl.examples import network as examples
from msl.network import Service

from common import ARGUMENTS, MANAGER, say, time


class Waiter(Service):
    """Its calls last until some time after the connection is lost.

    (A call that ends while the package closes the connection makes the package wait for ever.)
    """

    def __init__(self):
        super().__init__()
        self._lost = threading.Event()

    def wait(self):
        say("called")
        self._lost.wait()
        time.sleep(0.5)

    def shutdown_handler(self):
        self._lost.set()


class Big(Service):
    """Its replies are as long as one likes."""

    def text(self, length):
        return "x" * length


OWN = {"Waiter": Waiter, "Big": Big}
name, *password = ARGUMENTS
try:
    (OWN.get(name) or getattr(examples, name))().start(**MANAGER, password_manager="".join(password) or None)
except Exception as error:
    say("refused", kind=type(error).__name__, text=str(error))
say("ended")
