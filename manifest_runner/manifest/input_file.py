"""Read input files, and refuse anything that is not a regular file, too large or not UTF-8."""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path

from manifest_runner.diagnostics.finding import InvalidManifest, Place

_CHUNK = 2**20
_FOREIGN = {
    b"PK\x03\x04": "a spreadsheet or a zip archive",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"\x1f\x8b": "compressed",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


def read_bytes(path: Path, label: str, limit: int, hint: str = "", *, code: str = "MR101") -> bytes:
    """The bytes of a regular file of at most ``limit`` bytes. Raises InvalidManifest with the reason why not."""
    refuse_unreadable(path, label, code=code)
    try:
        with path.open("rb") as file:
            raw = file.read(limit + 1)
    except OSError as e:
        raise _unreadable(label, code, _reason(e)) from e
    if len(raw) > limit:
        raise InvalidManifest.at(Place(label, 1), code, f"larger than {limit // 2**20} MiB{hint}")
    return raw


def refuse_unreadable(path: Path, label: str, *, code: str = "MR101") -> None:
    """Raise InvalidManifest for anything but a regular file: opening a pipe or a device can wait forever."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - Path.stat is the same, but for a ValueError's message
    except FileNotFoundError as e:
        raise _unreadable(label, code, "it does not exist") from e
    except OSError as e:
        raise _unreadable(label, code, _reason(e)) from e
    except ValueError as e:
        raise _unreadable(label, code, "its name contains a NUL") from e
    if not stat.S_ISREG(mode):
        raise _unreadable(label, code, "it is a folder" if stat.S_ISDIR(mode) else "it is not a regular file")


def decode_utf8(raw: bytes, label: str) -> str:
    """UTF-8 with or without BOM; anything else is an error that names the first bad place."""
    raw = raw.removeprefix(codecs.BOM_UTF8)
    try:
        return raw.decode()
    except UnicodeDecodeError as e:
        raise _not_utf8(label, raw, e, 1) from e


def refuse_foreign_bytes(path: Path, label: str) -> None:
    """Raise InvalidManifest for a samplesheet that cannot be UTF-8 text, before its bytes are read as text."""
    refuse_unreadable(path, label, code="MR301")
    line, last = 1, b""
    decode = codecs.getincrementaldecoder("utf-8")().decode
    try:
        with path.open("rb") as file:
            _refuse_format(file.read(4), label, ", or name an Excel file under `xlsx`")
            file.seek(0)
            while chunk := file.read(_CHUNK):
                line -= last == b"\r" and chunk.startswith(b"\n")
                _refuse_nul(chunk, label, line)
                decode(chunk)
                line, last = line + _breaks(chunk), chunk[-1:]
            decode(b"", True)
    except UnicodeDecodeError as e:
        raise _not_utf8(label, e.object, e, line) from e
    except OSError as e:
        raise _unreadable(label, "MR301", _reason(e)) from e


def _refuse_format(start: bytes, label: str, excel: str = "") -> None:
    """``excel`` says what else to do with an Excel file."""
    for magic, what in _FOREIGN.items():
        if start.startswith(magic):
            message = f"this file is {what}; save it as text in UTF-8{excel if 'spreadsheet' in what else ''}"
            raise InvalidManifest.at(Place(label, 1), "MR102", message)


def _refuse_nul(chunk: bytes, label: str, line: int) -> None:
    at = chunk.find(b"\0")
    if at >= 0:
        place = Place(label, line + _breaks(chunk[:at]))
        raise InvalidManifest.at(place, "MR102", "contains a NUL byte; save the file as text in UTF-8")


def _not_utf8(label: str, raw: bytes, error: UnicodeDecodeError, line: int) -> InvalidManifest:
    """``raw`` starts on ``line``."""
    _refuse_format(raw[:4], label)
    good = raw[: error.start]
    before = good[max(good.rfind(b"\n"), good.rfind(b"\r")) + 1 :]
    place = Place(label, line + _breaks(good), len(before.decode("utf-8-sig", "ignore")) + 1)
    message = f"not UTF-8 (byte 0x{raw[error.start]:02x}); save the file as UTF-8"
    return InvalidManifest.at(place, "MR102", message)


def _breaks(raw: bytes) -> int:
    """The number of line ends; a spreadsheet on a Mac may end lines with CR alone."""
    return raw.count(b"\n") + raw.count(b"\r") - raw.count(b"\r\n")


def _unreadable(label: str, code: str, reason: str) -> InvalidManifest:
    return InvalidManifest.at(Place(label, 1), code, f"cannot be read: {reason}")


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
