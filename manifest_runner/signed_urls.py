"""Mask the signatures of signed URLs, since a signature grants access to whoever reads it.

In http and https URLs the values of query parameters that sign are replaced by ``*``. So a URL that is signed again
counts as the same URL. Pure.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

MASK = "*"

_NAMES = frozenset({"signature", "expires", "awsaccesskeyid", "key-pair-id", "policy", "sig", "token", "access_token"})
_PREFIXES = ("x-amz-", "x-goog-")
# Shared access signatures of Azure: short names, which sign only beside ``sig``.
_BESIDE_SIG = frozenset({"se", "st", "sp", "sv", "sr"})

# JSON text may escape a slash, the characters between parameters and those that are not ASCII, but an escaped quote or
# angle bracket ends a URL as a plain one does. JSON in JSON escapes the backslash, too.
_SLASHES = r"\\*/\\*/"
_AMPERSAND = r"(?:&|\\+u0026)"
_EQUALS = r"(?:=|\\+u003[dD])"
_ESCAPED = r"\\+(?=/|u(?!002[27]|003[cCeE])[0-9a-fA-F]{4})"
_IN_VALUE = r"\\+(?=/|u(?!002[267]|003[cCeE])[0-9a-fA-F]{4})"

# Both patterns are compiled when the first URL with a query is met, since most manifests have none.
# A URL ends where other text follows: at quotes, angle brackets, other backslashes, at the next URL of a list, and at
# blanks, except spaces that somebody forgot to encode: in its path, or before another of its parameters.
# (Looking for no other start of a URL on the way to its query keeps hostile text from taking quadratic time.)
_URL = (
    rf"(?i)https?:{_SLASHES}(?:(?!https?:{_SLASHES})[^\t\r\n\f\v\"'<>\\?#]|{_ESCAPED})*\?"
    rf"(?:[^\s\"'<>\\#;,|]+|[;,|](?!https?:{_SLASHES})|{_ESCAPED}"
    rf"| (?=(?:(?!https?:{_SLASHES})[^\t\r\n\f\v\"'<>\\#&]){{0,99}}{_AMPERSAND}[^\s&=\\]{{1,99}}{_EQUALS}))*"
)
# A name and a value end at any backslash but one of an escaped character, since a URL has no others in it.
_PARAMETER = rf"([?;]|{_AMPERSAND})([^=&;?\\]*(?:\\+(?=/)[^=&;?\\]*)*)({_EQUALS})([^&;,|\\]*(?:{_IN_VALUE}[^&;,|\\]*)*)"


def mask_signatures(text: str) -> str:
    """The text with every signature in its URLs masked; text without any is returned as it is."""
    if "?" not in text or ("://" not in text and ":\\" not in text):
        return text
    return re.sub(_URL, lambda found: _masked(found.group()), text)


def mask_json(body: bytes) -> bytes:
    """The same for JSON as UTF-8."""
    if b"?" not in body or (b"://" not in body and b":\\" not in body):
        return body
    return mask_signatures(body.decode()).encode()


def _masked(url: str) -> str:
    path, mark, query = url.partition("?")
    names = {_plain(name) for _, name, *_ in re.findall(_PARAMETER, mark + query)}
    signing = _NAMES | _BESIDE_SIG if "sig" in names else _NAMES

    def mask(parameter: re.Match[str]) -> str:
        start, name, equals, value = parameter.groups()
        return f"{start}{name}{equals}{MASK if _signs(name, signing) else _masked_within(value, signing)}"

    return path + re.sub(_PARAMETER, mask, mark + query)


def _masked_within(value: str, signing: frozenset[str]) -> str:
    """A value that may be a URL itself, whose first parameter follows its own question mark."""
    parts = value.split("?")
    for i, part in enumerate(parts[1:], 1):
        name, equals, _ = part.partition("=")
        if equals and _signs(name, signing):
            return "?".join([*parts[:i], f"{name}={MASK}"])
    return value


def _signs(name: str, signing: frozenset[str]) -> bool:
    plain = _plain(name)
    return plain in signing or plain.startswith(_PREFIXES)


def _plain(name: str) -> str:
    return unquote_plus(name).lower()
