"""A service, and a client that has calls open at any time, until they are cut off: each call must end, and nothing may spin.

Calls of Waiter, another device, are never answered: while they are open, the Manager does not end the connection, and so no
call is made at that very moment. (The package would wait for it for ever.)
"""

from msl.network import Service

from common import PATIENCE, client, link, say, serve, time

IN_FLIGHT = 8


class Twice(Service):
    def twice(self, x):
        return 2 * x


def has_failed(future):
    error = future.exception(timeout=PATIENCE)
    assert error or future.result() % 2 == 0
    return error is not None


service = serve(Twice())
ann = client()
waiter, twice = link(ann, "Waiter"), link(ann, "Twice")
unanswered = [waiter.wait(asynchronous=True) for _ in range(IN_FLIGHT)]
calls = failed = 0
while not failed:
    futures = [twice.twice(x, asynchronous=True) for x in range(IN_FLIGHT)]
    calls += len(futures)
    failed += sum(has_failed(future) for future in futures)
    if calls == IN_FLIGHT:
        say("loaded")
assert all(has_failed(future) for future in unanswered)
service.join(PATIENCE)
busy = time.process_time()
time.sleep(0.5)
busy = time.process_time() - busy
say("ended", answered=calls - failed, failed=failed + len(unanswered), busy=busy, service=service.is_alive())
