"""The package's client with services that are not: the examples, and Odd, Single and Stoppable."""

from common import client, error_of, link, say, time, wait_until

ann, bob = client("Ann"), client("Bob")

echo = link(ann, "Echo")
say("echo", result=echo.echo(1, "é漢\n", [None, 0.1], x={"a": [[], {}]}, big=12345678901234567890123))
say("not finite", result=repr(echo.echo(float("nan"), float("inf"), -float("inf"))))
numbers = [i / 7 for i in range(1_200_000)]
(back,), _ = echo.echo(numbers)
say("array", equal=back == numbers)

math = link(ann, "BasicMath")
say("attributes", pi=math.pi(), euler=math.euler(), sum=math.add(1, y=2), power=math.power(3))
say("signatures", **math.service_attributes)
calls = [
    ("add", 1, 2),
    ("subtract", 1, 2),
    ("multiply", 2, 3),
    ("divide", 1, 2),
    ("ensure_positive", 4),
    ("power", 3),
]
began = time.monotonic()
futures = [getattr(math, name)(*arguments, asynchronous=True) for name, *arguments in calls]
results = [future.result(timeout=30) for future in futures]
say("six calls", results=results, seconds=time.monotonic() - began)

array = link(ann, "MyArray")
numbers = array.linspace(0, 1, n=3)
ten_times = array.scalar_multiply(10, numbers)
say("arrays", numbers=numbers, ten_times=ten_times, length=len(array.linspace(0, 1)))
say("adder", sum=link(ann, "Adder").add_numbers(x=1.2, y=3.4))
multimeter = link(ann, "Hewlett Packard 34401A")
multimeter.write("*IDN?")
read = multimeter.read()
say("multimeter", query=multimeter.query("MEASURE:VOLTAGE:DC?"), read=read, voltage=multimeter.voltage())

say("error of a method", **error_of(math.divide, 1, 0))
say("wrong arguments", **error_of(math.add, 1))
say("wrong type", **error_of(math.add, "a", 1))
say("unknown attribute", **error_of(math.nothing))
say("private attribute", **error_of(math._private))
say("traceback", **error_of(link(ann, "Odd").no_json))

links = [link(ann, "Heartbeat"), link(bob, "Heartbeat")]
beats = [[], []]
for index, linked in enumerate(links):
    linked.notification_handler = lambda *args, own=beats[index]: own.append(args[0])
links[0].set_heart_rate(200)
wait_until(lambda: min(map(len, beats)) > 100, "a hundred beats")
links[0].kill()
say("beats", ann=beats[0], bob=beats[1])

single = link(ann, "Single")
say("single", value=single.value(), max_clients=single.service_max_clients, language=single.service_language)
say("full", **error_of(bob.link, "Single"))

say("shut down", result=link(ann, "Stoppable").shutdown_service(1, x=2))
wait_until(lambda: "Stoppable" not in ann.identities()["services"], "the service leaves")
say("gone", **error_of(ann.link, "Stoppable"))
