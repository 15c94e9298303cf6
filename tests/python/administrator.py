"""An administrator shuts the Manager down while calls are open: its own request ends, and each call fails."""

from msl.network import connect

from common import MANAGER, PATIENCE, error_of, link, say, time

ada = connect(name="Ada", username="ada", password="engine", **MANAGER)
say("users", result=ada.admin_request("users_table.usernames", timeout=PATIENCE))

waiter = link(ada, "Waiter")
futures = [waiter.wait(asynchronous=True) for _ in range(2)]
say("shutdown", result=ada.admin_request("shutdown_manager", timeout=PATIENCE))
for future in futures:
    say("failed", **error_of(future.result, timeout=PATIENCE))

busy = time.process_time()
time.sleep(0.5)
say("afterwards", busy=time.process_time() - busy)
say("connected", result=ada.is_connected())
