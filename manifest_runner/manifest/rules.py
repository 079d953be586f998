"""Rules that a JSON Schema cannot state. Each takes data of any shape, since the schema reports all other faults."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from manifest_runner.manifest.document import NAMES_AND_IDS, PART
from manifest_runner.text import clean, described, shown
from manifest_runner.validation.messages import Fault
from manifest_runner.values import is_unicode

MAX_PARTS = 3
_CREDENTIAL = re.compile(r"^ICAV2_|TOKEN|KEY|SECRET|PASSWORD", re.IGNORECASE)


def spelling_faults(data: Any) -> Iterator[Fault]:
    """JSON Schema calls 1.0 an integer; in a digest ``1.0`` and ``1`` would be two revisions."""
    for key in ("revision", "batchSize", "maxLaunches", "maxRunning"):
        value = data.get(key) if isinstance(data, dict) else None
        if isinstance(value, float) and (value.is_integer() or math.isinf(value)):
            yield Fault((key,), f"expected a whole number, got {described(value)}")


def state_faults(data: Any) -> Iterator[Fault]:
    """State in a store has a lease of its own, and a remote is only for a lease in git."""
    keys = data.keys() if isinstance(data, dict) else ()
    if "state" in keys and "lock" in keys:
        yield Fault(("lock",), "state has a lease of its own; remove either lock or state", at_key=True)
    elif "git" in keys and "lock" not in keys:
        yield Fault(("git",), "git names the remote of `lock: git`, but `lock` is missing", at_key=True)


def name_faults(holder: Any) -> Iterator[Fault]:
    """A mapping must not have both a name and an id: they would repeat or contradict each other."""
    for name, id_ in NAMES_AND_IDS.items() if isinstance(holder, dict) else ():
        if holder.get(name) is not None and holder.get(id_) is not None:
            yield Fault((name,), f'"{name}" and "{id_}" exclude each other; keep one of them', at_key=True)


def env_faults(data: Any, env: Mapping[str, str]) -> Iterator[Fault]:
    names = data.get("env") if isinstance(data, dict) else None
    for i, name in enumerate(names if isinstance(names, list) else ()):
        if isinstance(name, str) and _CREDENTIAL.search(name):
            why = "looks like the name of a credential, which templates may not read; use another variable"
            yield Fault(("env", i), f"{clean(name)} {why}")
        elif isinstance(name, str) and not is_unicode(env.get(name, "")):
            yield Fault(("env", i), f"the value of {clean(name)} is not UTF-8")


def moved_faults(data: Any) -> Iterator[Fault]:
    entries = data.get("moved") if isinstance(data, dict) else None
    for i, entry in enumerate(entries if isinstance(entries, list) else ()):
        old, new = (entry.get(key) for key in ("from", "to")) if isinstance(entry, dict) else (None, None)
        if not isinstance(old, str) or not isinstance(new, str):
            continue
        for key in ("from", "to"):
            if re.search("[{}]", PART.sub("", entry[key])):
                words = f"{shown(entry[key])} is neither a userReference nor a pattern; a part of a pattern is {{name}}"
                yield Fault(("moved", i, key), words)
        parts = [set(PART.findall(name)) for name in (old, new)]
        if parts[0] != parts[1]:
            odd = min(parts[0] ^ parts[1])
            yield Fault(("moved", i), f"{{{clean(odd)}}} must be in both names, or in neither")
        elif len(parts[0]) > MAX_PARTS:
            yield Fault(("moved", i), f"a pattern has at most {MAX_PARTS} parts")
