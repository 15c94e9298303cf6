"""Notifications reach every linked client, in order, and none that is not linked."""

from msl.examples.network import Heartbeat

from common import client, link, say, serve, wait_until

heartbeat = Heartbeat()
heartbeat.add_tasks(heartbeat.emit())
serve(heartbeat)

ann, bob, dan = client("Ann"), client("Bob"), client("Dan")
links = [link(ann, "Heartbeat"), link(bob, "Heartbeat")]
beats = [[], []]
for index, linked in enumerate(links):
    linked.notification_handler = lambda *args, own=beats[index]: own.append(args[0])
links[0].set_heart_rate(200)
wait_until(lambda: min(map(len, beats)) > 100, "a hundred beats")
links[0].kill()

# Dan links when the heart stands still, so what he gets was not meant for him.
late = []
link(dan, "Heartbeat").notification_handler = lambda *args: late.append(args)
dan.identities()
say("beats", ann=beats[0], bob=beats[1], dan=late)
