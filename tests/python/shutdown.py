"""A client shuts a service down; the service starts again under its name; the client links again."""

from msl.network import Service

from common import PATIENCE, client, error_of, link, say, serve


class Stoppable(Service):
    def value(self):
        return 7

    def shutdown_service(self, *args, **kwargs):
        return "bye"


ann = client()
for _ in range(2):
    thread = serve(Stoppable())
    stoppable = link(ann, "Stoppable")
    say("value", result=stoppable.value())
    say("answer", result=stoppable.shutdown_service())
    thread.join(PATIENCE)
    say("ended", result=not thread.is_alive())
say("gone", **error_of(ann.link, "Stoppable"))
