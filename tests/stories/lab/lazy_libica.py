"""Names of libica, the public SDK, imported lazily: it takes seconds, so only its users should pay."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    if not name[0].isupper():  # pytest asks every name in a test module for its marks
        raise AttributeError(name)
    return getattr(import_module("libica.openapi.v3"), name)
