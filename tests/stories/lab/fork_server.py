"""Runs the command line in forked children that die, are interrupted or run out of disk at a chosen step.

A step is a call of the standard library that leaves the process: a file opened for writing, fsynced, renamed or
removed, bytes sent to or received from a socket. The product has no hooks for this; the library is wrapped.

One case is one line of JSON on stdin, its result one line on stdout. Everything is imported once, so that a case
costs a fork and not an interpreter.
"""

from __future__ import annotations

import errno
import io
import json
import mmap
import os
import resource
import select
import signal
import socket
import stat
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

from power_cut import Call, Disk
from warm_up import warm_up


class Steps:
    """Counts steps, and does at the chosen one what the case asks for.

    ``when``: "before" and "after" die; "torn" dies before an fsync, with ``cut`` bytes of the file's end missing;
    "expired" is a store that refuses a credential that has expired; "stop" is SIGSTOP, until somebody sends SIGCONT;
    "interrupt" is ^C; "full" lets the step fail as on a full disk; "power" dies of a power cut, after which the
    folder's ``names`` are "ahead" of what was fsynced or "behind".
    """

    def __init__(
        self,
        step: int | None = None,
        when: str = "before",
        cut: int = 1,
        names: str = "behind",
        disk: Disk | None = None,
    ) -> None:
        self.names: list[str] = []
        self._chosen = step
        self._when = when
        self._cut = cut
        self._names_left = names
        self._disk = disk

    def take(self, name: str, call: Call, *, fd: int | None = None) -> Any:
        self.names.append(name)
        if len(self.names) - 1 != self._chosen:
            return call()
        if self._when == "interrupt":
            raise KeyboardInterrupt
        if self._when == "expired":
            from obstore.exceptions import GenericError

            raise GenericError("status code: 400 <Code>ExpiredToken</Code>")
        if self._when == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
            return call()
        if self._when == "full":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self._when == "torn" and fd is not None:
            os.ftruncate(fd, max(0, os.fstat(fd).st_size - self._cut))
        if self._when == "power" and self._disk is not None:
            self._disk.cut_power(self._names_left)
        return die(call() if self._when == "after" else None)

    def wrap_files(self) -> None:
        replace, unlink, opened = os.replace, os.unlink, io.open

        def open_file(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            if mode[0] not in "wax" or isinstance(file, int):
                return opened(file, mode, *args, **kwargs)
            return self.take(f"open {_base(file)}", self._write(file, lambda: opened(file, mode, *args, **kwargs)))

        os.fsync = lambda fd: self.take(f"fsync {_name_of(fd)}", lambda: self._sync(fd), fd=_regular(fd))
        os.replace = lambda a, b, **k: self.take(f"replace {_base(b)}", self._write(b, lambda: replace(a, b, **k)))
        os.unlink = lambda path, **k: self.take(f"unlink {_base(path)}", self._write(path, lambda: unlink(path, **k)))
        io.open = open_file

    def _write(self, path: Any, call: Call) -> Call:
        disk = self._disk
        return call if disk is None else lambda: disk.write(Path(path), call)

    def _sync(self, fd: int) -> None:
        """Only record it: what a killed process has written stays in the system's cache without an fsync."""
        if self._disk is not None:
            self._disk.sync(fd)

    def wrap_sockets(self) -> None:
        send_all, receive = socket.socket.sendall, socket.socket.recv_into

        def sendall(self_: socket.socket, data: Any, *args: Any) -> Any:
            return self.take(_sent(bytes(data[:200])), lambda: send_all(self_, data, *args))

        def recv_into(self_: socket.socket, *args: Any) -> Any:
            if self._chosen == len(self.names):  # die when the answer has arrived, not before it was made
                select.select([self_], [], [], 10)
            if self.names[-1] == "receive":  # the number of reads for one answer depends on the network
                return receive(self_, *args)
            return self.take("receive", lambda: receive(self_, *args))

        socket.socket.sendall = sendall
        socket.socket.recv_into = recv_into

    def wrap_stores(self) -> None:
        """Wrap the stores' operations, too: they use a library without Python's sockets, or another process."""
        import obstore

        for name in ("get", "put", "list", "delete"):
            setattr(obstore, name, self._wrapped(f"store {name}", getattr(obstore, name)))
        start, communicate = subprocess.Popen.__init__, subprocess.Popen.communicate

        def init(self_: Any, args: Any, *more: Any, **kwargs: Any) -> Any:
            return self.take(_command(args), lambda: start(self_, args, *more, **kwargs))

        def wait(self_: Any, *args: Any, **kwargs: Any) -> Any:
            return self.take(f"{_command(self_.args)} ends", lambda: communicate(self_, *args, **kwargs))

        subprocess.Popen.__init__ = init
        subprocess.Popen.communicate = wait

    def _wrapped(self, name: str, function: Any) -> Any:
        return lambda store, what="", *a, **k: self.take(
            f"{name} {_what(what)}", lambda: function(store, what, *a, **k)
        )


def _what(name: Any) -> str:
    """The last part of an object's name, of a folder's, or of the first of several."""
    first = name[0] if isinstance(name, list) else name
    return str(first).rstrip("/").rpartition("/")[2]


def _command(args: Any) -> str:
    words = [word for word in args[1:] if not word.startswith("-") and "=" not in word]
    return f"{args[0]} {words[0]}" if words else str(args[0])


def die(_kept: object = None) -> NoReturn:
    """End at once. Keep the result of the last step, so that nothing closes it before."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


def _sent(data: bytes) -> str:
    words = data.split(b" ", 2)
    if words[0] not in (b"POST", b"GET"):
        return "send body"
    return f"send {words[0].decode()} {words[1].decode().split('?')[0].rsplit('/', 1)[-1]}"


def _base(path: Any) -> str:
    return Path(path).name.replace(f".{os.getpid()}.", ".")


def _name_of(fd: int) -> str:
    try:
        return _base(Path(f"/proc/self/fd/{fd}").readlink())
    except OSError:
        return "file"


def _regular(fd: int) -> int | None:
    return fd if stat.S_ISREG(os.fstat(fd).st_mode) else None


class Lines:
    """^C at the chosen one of the lines that the given files of the product execute."""

    def __init__(self, files: tuple[str, ...], chosen: int | None) -> None:
        self.count = 0
        self._files = files
        self._chosen = chosen

    def watch(self, frame: Any, event: str, argument: object) -> Any:
        return self._line if frame.f_code.co_filename.endswith(self._files) else None

    def _line(self, frame: Any, event: str, argument: object) -> Any:
        if event == "line":
            self.count += 1
            if self.count - 1 == self._chosen:
                sys.settrace(None)
                raise KeyboardInterrupt
        return self._line


class SharedClock:
    """Seconds since the epoch in a file that the emulator's process maps, too; sleeping advances it."""

    def __init__(self, path: str) -> None:
        with Path(path).open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 8)

    def __call__(self) -> float:
        return float(struct.unpack("d", self._map[:8])[0])

    def sleep(self, seconds: float) -> None:
        self._map[:8] = struct.pack("d", self() + seconds)


def run_case(case: dict[str, Any]) -> dict[str, Any]:
    """In the child, run the case and report how it ended."""
    # A process that may be killed at any time may be killed within the disk's record, and no power cut follows.
    disk = Disk(Path(case["folder"]), Path(case["disk"])) if "disk" in case and "alarm" not in case else None
    steps = Steps(**case.get("at", {}), disk=disk)
    lines = Lines(tuple(case.get("trace", ())), case.get("line"))
    if "file_size" in case:
        resource.setrlimit(resource.RLIMIT_FSIZE, (case["file_size"], resource.RLIM_INFINITY))
    if "alarm" in case:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, case["alarm"])
    if "pid" in case:
        Path(case["pid"]).write_text(str(os.getpid()))
    steps.wrap_files()
    steps.wrap_sockets()
    steps.wrap_stores()
    if case.get("is_blind"):
        _blind()
    if case.get("trace"):
        sys.settrace(lines.watch)
    code = _call(case)
    sys.settrace(None)
    return {"code": code, "steps": steps.names, "lines": lines.count}


def _blind() -> None:
    """Break the product: it never sees a double. A test that looks for them must then fail."""
    from manifest_runner.commands import doubles
    from manifest_runner.commands.steps import doubles_search

    for module in (doubles, doubles_search):
        module.doubles_among = lambda *_arguments: []


def _call(case: dict[str, Any]) -> int:
    from manifest_runner.cli.main import main

    try:
        if "clock" in case:
            return _run_with_clock(case)
        sys.argv = ["manifest-runner", *case["argv"]]
        main()
    except SystemExit as e:
        return int(e.code or 0)
    except KeyboardInterrupt:
        return 130
    return 0


def _run_with_clock(case: dict[str, Any]) -> int:
    """The command ``run`` with simulated time: its clock may jump, and no sleep takes time."""
    from manifest_runner.commands import run
    from manifest_runner.commands.setup.context import Context
    from manifest_runner.commands.setup.options import RunOptions, Target
    from manifest_runner.errors import RunnerError
    from manifest_runner.planning.choices import Choices

    clock = SharedClock(case["clock"])
    skew = case.get("skew", 0.0)
    context = Context(
        env=dict(os.environ), notify=_note, clock=lambda: clock() + skew, monotonic=clock, sleep=clock.sleep
    )
    options = RunOptions(choices=Choices(**case.get("choices", {})), **case.get("options", {}))
    target = Target(server_url=case["server"], project=case.get("project"))
    try:
        outcome = run.run(Path(case["manifest"]), target, options, context)
        for double in outcome.doubles:
            _note(f"launched twice: {double.digest} {' '.join(analysis.id for analysis in double.analyses)}")
        for failure in outcome.failures:
            _note(f"failed: {failure.user_reference}")
        return outcome.exit_code
    except RunnerError as e:
        _note(str(e))
        return e.exit_code


def _note(line: str) -> None:
    sys.stderr.write(line + "\n")


def _child(case: dict[str, Any], report: int) -> NoReturn:
    result = {"code": 99}
    try:
        os.chdir(case["folder"])
        os.environ.clear()
        os.environ.update(case["env"])
        for stream, name in ((sys.stdout, case["out"]), (sys.stderr, case["err"])):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream.fileno())
        result = run_case(case)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(report, json.dumps(result).encode())
    except BaseException:  # noqa: BLE001 - otherwise the child would continue as a second server
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(result["code"])


def serve() -> None:
    warm_up(without="emulator")
    _say("ready")
    for line in sys.stdin:
        _say(json.dumps(_fork(json.loads(line))))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _fork(case: dict[str, Any]) -> dict[str, Any]:
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ours)
        _child(case, theirs)
    os.close(theirs)
    with os.fdopen(ours, "rb") as file:
        report = file.read()
    _, status = os.waitpid(pid, 0)
    ended = {"code": os.waitstatus_to_exitcode(status), "steps": [], "lines": 0}
    return {**ended, **(json.loads(report) if report else {})}


if __name__ == "__main__":
    serve()
