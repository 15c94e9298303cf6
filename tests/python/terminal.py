"""Runs a program on a terminal of its own: the arguments are answers, one for each question that is
answered unseen, then `--` and the program.

Whatever the program shows is printed, and its exit status is ours.
"""

import os
import pty
import sys
import termios
import time

end = sys.argv.index("--")
answers, command = sys.argv[1:end], sys.argv[end + 1 :]

child, terminal = pty.fork()
if child == 0:
    os.execv(command[0], command)

shown = b""
while True:
    try:
        piece = os.read(terminal, 1024)
    except OSError:  # the program has ended
        break
    if not piece:
        break
    shown += piece
    if piece.endswith(b": ") and answers:
        # The question is there a moment before the terminal stops to show what is typed.
        while termios.tcgetattr(terminal)[3] & termios.ECHO:
            time.sleep(0.001)
        os.write(terminal, answers.pop(0).encode() + b"\n")

sys.stdout.write(shown.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
