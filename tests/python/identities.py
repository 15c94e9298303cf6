"""Who is there, as a string to read; a client spawns another; two services of one name."""

from msl.examples.network import Echo, MyArray

from common import MANAGER, client, link, say, serve

serve(Echo())
serve(MyArray())
ann = client()
echo = link(ann, "Echo")
link(ann, "MyArray")
say("text", lines=ann.identities(as_string=True).split("\n"))

bob = ann.spawn("Bob")
say("spawned", result=link(bob, "Echo").echo(1), name=bob.name)
say("identity", clients=[client["name"] for client in ann.identities()["clients"].values()])

# The second of the name is refused: its start returns, as its connection is ended.
Echo().start(**MANAGER)
say("the first goes on", result=echo.echo(2))
