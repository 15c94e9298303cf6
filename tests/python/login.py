"""Try to connect in several ways: each argument is an object of further arguments for the connection.

A client that is let in stays connected until the end.
"""

import json

from msl.network import connect

from common import ARGUMENTS, MANAGER, PATIENCE, say

connections = []
for index, text in enumerate(ARGUMENTS):
    try:
        connection = connect(name=f"Ann{index}", **MANAGER, **json.loads(text))
        names = connection.identities(timeout=PATIENCE)["clients"]
        connections.append(connection)
    except Exception as error:
        say("attempt", kind=type(error).__name__, text=str(error))
    else:
        say("attempt", clients=len(names))
for connection in connections:
    connection.disconnect()
