"""A service and a client that connect again whenever they are cut off, until standard input ends."""

import os
import sys
import threading

from msl.network import Service

from common import MANAGER, client, link, say, time

PAUSE = 0.05


class Answer(Service):
    def answer(self):
        return 42


def serve_again_and_again():
    while True:
        try:
            Answer().start(**MANAGER)
        except Exception:
            pass  # Nobody listens for the moment.
        time.sleep(PAUSE)


def work_again_and_again():
    while True:
        try:
            ann = client()
            assert link(ann, "Answer").answer(timeout=1) == 42
            say("worked")
            while ann.is_connected():
                time.sleep(PAUSE)
        except Exception:
            time.sleep(PAUSE)


for function in (serve_again_and_again, work_again_and_again):
    threading.Thread(target=function, daemon=True).start()
sys.stdin.read()
say("ended", busy=time.process_time())
# The threads go on for ever.
os._exit(0)
