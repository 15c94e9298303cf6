"""Connect to the Manager by each of the names in the arguments, and check its certificate as strictly as Python can."""

import socket
import ssl

from common import ARGUMENTS, CERTIFICATE, PORT, error_of, say


def check(name):
    context = ssl.create_default_context(cafile=CERTIFICATE)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with socket.create_connection((address(name), int(PORT))) as plain:
        with context.wrap_socket(plain, server_hostname=name) as encrypted:
            return {"version": encrypted.version(), "line": encrypted.recv(4096).decode()}


def address(name):
    """Where to connect to: the name of this computer need not lead back to it."""
    return name if name == "::1" else "127.0.0.1"


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


for name in ARGUMENTS:
    if name != "::1" or has_ipv6():
        say("accepted", name=name, **check(name))
say("another name", **error_of(check, "example.org"))
