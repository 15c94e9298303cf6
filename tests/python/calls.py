"""A client calls example services, synchronously and asynchronously; errors come back as exceptions."""

import types

from msl.examples.network import BasicMath, Echo, MyArray, basic_math
from msl.network import Service

from common import client, error_of, link, say, serve, time

# BasicMath takes from 1 s to 6 s for a call; here a twentieth of that.
basic_math.time = types.SimpleNamespace(sleep=lambda seconds: time.sleep(seconds / 20))


class Odd(Service):
    def no_json(self):
        return object()


for service in (BasicMath(), Echo(), MyArray(), Odd()):
    serve(service)
ann = client()

echo = link(ann, "Echo")
say("echo", result=echo.echo(1, "é漢\n", [None, 0.1], x={"a": [[], {}]}, big=12345678901234567890123))
say("nothing", result=echo.echo())
say("not finite", result=repr(echo.echo(float("nan"), float("inf"), -float("inf"))))

array = link(ann, "MyArray")
say("linspace", result=array.linspace(0, 1, n=5))
say("scaled", result=array.scalar_multiply(2, [1, 2, 3]))

math = link(ann, "BasicMath")
say("attributes", pi=math.pi(), euler=math.euler(), sum=math.add(1, 2))

calls = [
    ("add", 1, 2),
    ("subtract", 1, 2),
    ("multiply", 2, 3),
    ("divide", 1, 2),
    ("ensure_positive", 4),
    ("power", 3),
]
separate = []
for name, *arguments in calls:
    started = time.monotonic()
    getattr(math, name)(*arguments)
    separate.append(time.monotonic() - started)
together = time.monotonic()
futures = [getattr(math, name)(*arguments, asynchronous=True) for name, *arguments in calls]
results = [future.result(timeout=30) for future in futures]
say("six calls", results=results, separate=sum(separate), together=time.monotonic() - together)

odd = link(ann, "Odd")
say("error of a method", **error_of(math.divide, 1, 0))
say("another error of a method", **error_of(math.ensure_positive, -1))
say("wrong arguments", **error_of(math.add, 1))
say("unknown attribute", **error_of(math.nothing))
say("private attribute", **error_of(echo._start))
say("error with a traceback", **error_of(odd.no_json))
say("unknown service", **error_of(ann.link, "Nope"))

math.unlink()
say("after unlink", **error_of(lambda: math.add(1, 2)))
echo.disconnect()
echo.disconnect()  # again does no harm
ann.disconnect()
say("disconnected", connected=ann.is_connected(), **error_of(ann.identities))
