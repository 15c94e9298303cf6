"""A list of about 20 MB travels to a service and back, and is the same."""

import json

from msl.examples.network import Echo

from common import client, link, say, serve, time

serve(Echo())
echo = link(client(), "Echo")
numbers = [i / 7 for i in range(1_200_000)]
began = time.monotonic()
(back,), _ = echo.echo(numbers)
say("array", equal=back == numbers, size=len(json.dumps(numbers)), seconds=time.monotonic() - began)
