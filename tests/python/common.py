"""What the scripts share: the Manager's address from the arguments, connections to it, and facts.

A fact is a line of JSON. Usage of every script: SCRIPT HOST PORT CERTIFICATE [ARGUMENT...]; the certificate
is "-" for a Manager without TLS.
"""

import json
import sys
import threading
import time

from msl.network import connect

HOST, PORT, CERTIFICATE, *ARGUMENTS = sys.argv[1:]
PATIENCE = 30

# Whether the services that the script is about are there already: not the package's.
SERVED = "served" in ARGUMENTS

MANAGER = {"host": HOST, "port": int(PORT)}
if CERTIFICATE == "-":
    MANAGER["disable_tls"] = True
else:
    MANAGER["cert_file"] = CERTIFICATE


def say(fact, **values):
    """Print a fact, for the test that started this script. It is one write, since threads print too."""
    sys.stdout.write(json.dumps({"fact": fact, **values}) + "\n")
    sys.stdout.flush()


def client(name="Ann"):
    return connect(name=name, **MANAGER)


def serve(service):
    """Start the service in a thread, as it blocks, and return the thread."""
    thread = threading.Thread(target=service.start, kwargs=MANAGER, daemon=True)
    thread.start()
    return thread


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.01)


def link(connection, service):
    """Link with the service, which may still be starting."""

    def is_there():
        return service in connection.identities(timeout=PATIENCE)["services"]

    wait_until(is_there, f"{service} does not appear")
    return connection.link(service, timeout=PATIENCE)


def error_of(function, *args, **kwargs):
    """Call the function, which must fail; the exception's class and text."""
    try:
        result = function(*args, **kwargs)
    except Exception as error:
        return {"kind": type(error).__name__, "text": str(error)}
    raise AssertionError(f"{function} should have failed, its result is {result!r}")
