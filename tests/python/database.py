"""The package makes a database at the path given, and fills it: users, trusted host names, connections."""

from types import SimpleNamespace

from msl.network.database import ConnectionsTable, HostnamesTable, UsersTable

from common import ARGUMENTS, say

[path] = ARGUMENTS

users = UsersTable(database=path)
users.insert("ann", "open sesame", True)
users.insert("bob", "päss wörd", False)
say("users", users=users.users(), valid=users.is_password_valid("bob", "päss wörd"))

hostnames = HostnamesTable(database=path)
hostnames.insert("bench3")
hostnames.delete("localhost")
say("hostnames", hostnames=hostnames.hostnames())

connections = ConnectionsTable(database=path)
for message in ["new connection request", "connected as a client", "disconnected"]:
    connections.insert(SimpleNamespace(ip_address="192.168.1.7", domain="bench3", port=50123), message)
say("connections", rows=connections.connections())
