"""A client has open calls when they are cut off: each must fail with an exception, and nothing must spin."""

from common import PATIENCE, client, error_of, link, say, time

ann = client()
waiter = link(ann, "Waiter")
futures = [waiter.wait(asynchronous=True) for _ in range(3)]
for future in futures:
    say("failed", **error_of(future.result, timeout=PATIENCE))

busy = time.process_time()
time.sleep(0.5)
say("afterwards", busy=time.process_time() - busy)
say("next call", **error_of(waiter.wait, timeout=PATIENCE))
say("connected", result=ann.is_connected())
