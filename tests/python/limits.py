"""Requests and replies over the Manager's frame limit fail by an exception, and nothing spins or hangs.

The argument is that limit. What is far over it ends the connection; what is a little over it is skipped.
"""

from common import ARGUMENTS, PATIENCE, client, error_of, link, say, time

LIMIT = int(ARGUMENTS[0])

ann = client()
big = link(ann, "Big")
say("long reply", **error_of(big.text, LIMIT + LIMIT // 2, timeout=PATIENCE))
say("long request", **error_of(big.text, "x" * (LIMIT + LIMIT // 2), timeout=PATIENCE))
say("goes on", result=big.text(3, timeout=PATIENCE))
say("endless reply", **error_of(big.text, 8 * LIMIT, timeout=PATIENCE))

bob = client("Bob")
bob_futures = [bob._new_request("Waiter", "wait", asynchronous=True)]
bob_futures.append(bob._new_request("Big", "text", "x" * (8 * LIMIT), asynchronous=True))
for future in bob_futures:
    say("endless request", **error_of(future.result, timeout=PATIENCE))

busy = time.process_time()
time.sleep(0.5)
say("afterwards", busy=time.process_time() - busy)
say("bystander", result=len(ann.identities(timeout=PATIENCE)))
