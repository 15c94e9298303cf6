"""Strangers: connections that never finish the handshake, on plain sockets.

The arguments are the address of this computer from which they come, their number, and whether each waits for its end, which
must be in order; otherwise they stay until the standard input ends, and give up.
"""

import itertools
import socket
import sys

from common import ARGUMENTS, PATIENCE, PORT, say

# What they say before they fall silent: nothing, half of a line, half of a record of TLS.
WORDS = [b"", b'{"result": {"type": "client", ', bytes([22, 3, 1, 2, 0, 1])]

ADDRESS, COUNT, END = ARGUMENTS
strangers = []
for words in itertools.islice(itertools.cycle(WORDS), int(COUNT)):
    stranger = socket.create_connection(("127.0.0.1", int(PORT)), PATIENCE, (ADDRESS, 0))
    stranger.sendall(words)
    strangers.append(stranger)
say("there")

if END == "waits":
    for stranger in strangers:
        # A reset would be an exception.
        while stranger.recv(4096):
            pass
    say("ended")
else:
    sys.stdin.read()
