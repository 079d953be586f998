"""The command line as a process of its own that costs a fork, and not the imports of an interpreter.

A server with everything imported forks for each command, which gets its arguments, folder, environment and files from
whoever asks. Run as a script with the server's socket and arguments, this is such a client: it stands for the program.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Any

SECONDS = 60


def call(at: str, arguments: list[str], folder: str, env: dict[str, str], files: tuple[int, int, int]) -> int:
    """Run a command with these files for its stdin, stdout and stderr; its exit code, negative for a signal."""
    with socket.socket(socket.AF_UNIX) as asked:
        asked.settimeout(SECONDS)
        asked.connect(at)
        request = json.dumps({"arguments": arguments, "folder": folder, "env": env}).encode()
        socket.send_fds(asked, [len(request).to_bytes(4, "big")], files)
        asked.sendall(request)
        return int(asked.makefile().read())


def serve(at: str) -> None:
    """Answer calls until stdin ends: with the test process its server ends."""
    from warm_up import warm_up  # which a client does not need, nor find where it is isolated

    warm_up()
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # or nothing would be written when a command ends
    signal.set_wakeup_fd(wake)
    callers: dict[int, socket.socket] = {}  # by the process of their command
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(at)
        server.listen()
        os.write(1, b"\n")
        while sys.stdin not in (ready := select.select([server, sys.stdin, ended], [], [])[0]):
            if server in ready:
                _start(server, callers)
            if ended in ready:
                os.read(ended, 4096)
                _answer_ended(callers)


def _start(server: socket.socket, callers: dict[int, socket.socket]) -> None:
    asked, _ = server.accept()
    length, files, _, _ = socket.recv_fds(asked, 4, 3)
    request: dict[str, Any] = json.loads(asked.makefile("rb").read(int.from_bytes(length, "big")))
    command = os.fork()
    if not command:
        for each in (server, asked, *callers.values()):
            each.close()
        _run(request, files)
    for file in files:
        os.close(file)
    callers[command] = asked


def _answer_ended(callers: dict[int, socket.socket]) -> None:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            asked = callers.pop(ended[0])
            asked.sendall(str(os.waitstatus_to_exitcode(ended[1])).encode())
            asked.close()


def _run(request: dict[str, Any], files: list[int]) -> None:
    """Become the process that a shell would have started."""
    import atexit
    import random
    import time

    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    random.seed()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["manifest-runner", *request["arguments"]]
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, mode, encoding="utf-8") for number, mode in enumerate("rww"))
    sys.stderr.reconfigure(errors="backslashreplace")
    from manifest_runner.__main__ import main

    code: Any = 1
    try:
        main()
    except SystemExit as e:
        code = e.code
    except BaseException:  # noqa: BLE001 - what an interpreter would print
        import traceback

        traceback.print_exc()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    atexit._run_exitfuncs()
    os._exit(code or 0)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        sys.exit(call(sys.argv[1], sys.argv[2:], str(Path.cwd()), dict(os.environ), (0, 1, 2)) % 256)
