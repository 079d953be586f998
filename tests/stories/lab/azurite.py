"""Azurite, Azure's own emulator of its storage, as a process for the duration of a test session."""

from __future__ import annotations

import base64
import hashlib
import hmac
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from urllib.parse import urlencode

from buckets import Buckets

# Not secret: every Azurite has this account and key.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_READY = "successfully listens on "
_OPTIONS = ("--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent")


def signature(permissions: str, key: str = KEY) -> str:
    """A shared access signature of the account that allows these operations, such as ``rl`` to read and list."""
    version, services, types, end = "2019-12-12", "b", "sco", "2999-01-01T00:00:00Z"
    text = "\n".join([ACCOUNT, permissions, services, types, "", end, "", "", version, ""])
    signed = base64.b64encode(hmac.digest(base64.b64decode(key), text.encode(), hashlib.sha256)).decode()
    return urlencode({"sv": version, "ss": services, "srt": types, "sp": permissions, "se": end, "sig": signed})


def azurite() -> str | None:
    """The program of its blob service, if the npm package `azurite` is installed and on the PATH."""
    return shutil.which("azurite-blob")


@contextmanager
def serving_azurite() -> Iterator[Buckets]:
    """Azurite on a free port of loopback, with its data in memory."""
    program = azurite()
    assert program is not None
    command = [program, "--blobHost", "127.0.0.1", "--blobPort", "0", *_OPTIONS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield _containers(process)
        finally:
            process.kill()


def _containers(process: subprocess.Popen[str]) -> Buckets:
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        if _READY in line:
            return _containers_at(f"{line.partition(_READY)[2].strip()}/{ACCOUNT}")
        lines.append(line)
    raise AssertionError(f"Azurite did not start: {''.join(lines)}")


def _containers_at(url: str) -> Buckets:
    """The containers of the account."""
    numbers = count()

    def make() -> str:
        import requests

        name = f"container-{next(numbers)}"
        answer = requests.put(f"{url}/{name}?restype=container&{signature('rwdlac')}", timeout=30)
        answer.raise_for_status()
        return f"az://{name}"

    names = {"AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT, "AZURE_STORAGE_ACCOUNT_KEY": KEY}
    return Buckets(url, {"AZURE_STORAGE_ENDPOINT": url, **names}, make)
