"""Plain values as YAML that reads back as the same values."""

from __future__ import annotations

from typing import Any

import yaml

from manifest_runner.manifest.yaml_scalars import plain_value
from manifest_runner.values import NotANumber


class _Dumper(yaml.SafeDumper):
    """PyYAML quotes what YAML 1.1 would not read as text; some text, such as 0E0, is a number only in YAML 1.2."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    try:
        is_text = plain_value(text) == text
    except NotANumber:
        is_text = False
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_text else "'")


_Dumper.add_representer(str, _represent_text)


def dump_yaml(data: Any) -> str:
    """A value as YAML, keys in the order given."""
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return text
