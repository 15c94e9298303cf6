"""What the package's client shows of all that are connected; then it stays connected for a while."""

from common import client, say, time

dan = client("Dan")
say("listed", text=dan.identities(as_string=True))
time.sleep(60)
