"""The pre-commit hook: `validate` for the manifests among the YAML files that a commit changes.

pre-commit chooses files by their names only. A folder of manifests also holds rows in YAML, and a repository holds YAML
of other programs, so the hook looks into each file: a manifest has a top-level key ``manifest`` with a value beside it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

_KEY = re.compile(
    rb"""^(?:\xef\xbb\xbf)?(?:\{\s*)?(?:manifest|"manifest"|'manifest')[ \t]*:[ \t]+[^\s#{\[&*!|>]""", re.MULTILINE
)
_YAML = (".yaml", ".yml")


def main() -> None:
    arguments = chosen(sys.argv[1:])
    if not any(argument.endswith(_YAML) for argument in arguments):
        return
    from manifest_runner.cli.main import main as run

    sys.argv[1:] = ["validate", *arguments]
    run()


def chosen(arguments: Sequence[str]) -> list[str]:
    """The arguments without the YAML files that are not manifests; a file that cannot be read stays, for `validate`."""
    return [each for each in arguments if not each.endswith(_YAML) or _may_be_manifest(Path(each))]


def _may_be_manifest(path: Path) -> bool:
    try:
        return _KEY.search(path.read_bytes()) is not None
    except OSError:
        return True


if __name__ == "__main__":
    main()
