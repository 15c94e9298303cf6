"""An administrator asks for everything there is; then somebody else, who may not."""

from msl.network import connect

from common import ARGUMENTS, MANAGER, PATIENCE, error_of, link, say

# The Manager asks for the username and the password when they are needed; the client answers by itself.
ada = connect(name="Ada", username="ada", password="engine", **MANAGER)
echo = link(ada, "Echo")
lock = echo.acquire_lock(timeout=PATIENCE)


def ask(attribute, *args, **kwargs):
    return ada.admin_request(attribute, *args, timeout=PATIENCE, **kwargs)


def tell(attribute, *args, **kwargs):
    try:
        say(attribute, result=ask(attribute, *args, **kwargs))
    except Exception as error:
        say(attribute, kind=type(error).__name__, text=str(error))


for values in ("port", "clients", "services", "service_links", "service_locks"):
    tell(values)
tell("users_table.usernames")
tell("users_table.is_user_registered", "ada")
tell("users_table.insert", "cleo", "a secret", False)
tell("users_table.update", "cleo", is_admin=True)
tell("users_table.users")
tell("users_table.is_admin", "cleo")
tell("users_table.is_password_valid", "cleo", "a secret")
tell("users_table.update", "cleo", password="another")
tell("users_table.is_password_valid", "cleo", "a secret")
tell("users_table.delete", "cleo")
tell("users_table.delete", "cleo")
tell("users_table.insert", "dan")
tell("users_table.insert", username="dan", password="", is_admin=False)
tell("hostnames_table.insert", "bench-3")
tell("hostnames_table.hostnames")
tell("hostnames_table.delete", "bench-3")
tell("hostnames_table.delete", "bench-3")
tell("set_logging_level", "DEBUG")
tell("set_logging_level", 20)
tell("set_logging_level", "loud")
tell("connections_table.connections", start="2000-01-01", end="2999-12-31T23:59:59")
tell("connections_table.connections", start="2999-01-01")
tell("connections_table.connections", start="soon")
for attribute in ("users_table.records", "users_table.get_user", "password", "users_table", "_loop.stop", "__class__"):
    tell(attribute)

eve = connect(name="Eve", **MANAGER)
tell("disconnect_client", f"Eve[{ARGUMENTS[0]}:0]")
names = [name for name in ask("clients") if name.startswith("Eve[")]
say("before", names=len(names), result=[ask("disconnect_client", name) for name in names])

bob = connect(name="Bob", username="bob", password="builder", **MANAGER)
say("not an administrator", **error_of(bob.admin_request, "users_table.usernames", timeout=PATIENCE))
mallory = connect(name="Mallory", username="ada", password="a guess", **MANAGER)
say("wrong password", **error_of(mallory.admin_request, "users_table.usernames", timeout=PATIENCE))
say("still there", result=[bob.is_connected(), mallory.is_connected()])
say("shutdown", result=ask("shutdown_manager"))
