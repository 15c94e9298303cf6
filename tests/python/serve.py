"""Run the service that the first argument names until the Manager ends the connection.

The second argument, if any, is the Manager's password.
"""

import threading
import types

from msl.examples import network as examples
from msl.examples.network import basic_math
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


class Single(Service):
    """It takes one client only."""

    def __init__(self):
        super().__init__(max_clients=1)

    def value(self):
        return 7


class Odd(Service):
    """Its results cannot be sent."""

    def no_json(self):
        return object()


class Stoppable(Service):
    """Its clients may shut it down."""

    def shutdown_service(self, *args, **kwargs):
        return [args, kwargs]


class Heartbeat(examples.Heartbeat):
    """It beats from its start on."""

    def __init__(self):
        super().__init__()
        self.add_tasks(self.emit())


class Big(Service):
    """Its replies are as long as one likes."""

    def text(self, length):
        return "x" * length


# BasicMath takes from 1 s to 6 s for a call; here a twentieth of that.
basic_math.time = types.SimpleNamespace(sleep=lambda seconds: time.sleep(seconds / 20))

OWN = {own.__name__: own for own in (Waiter, Single, Odd, Stoppable, Heartbeat, Big)}
name, *password = ARGUMENTS
try:
    (OWN.get(name) or getattr(examples, name))().start(**MANAGER, password_manager="".join(password) or None)
except Exception as error:
    say("refused", kind=type(error).__name__, text=str(error))
say("ended")
