"""What a server imports and compiles once, so that each command that it forks costs no more than its own work."""

from __future__ import annotations

import contextlib
import gc
import pkgutil
import tempfile
from importlib import import_module
from pathlib import Path

# What some of the product's functions import.
_IMPORTED_LATE = ("filelock", "getpass", "multiprocessing.dummy", "multiprocessing.queues", "obstore.store")
_MANIFEST = """\
manifest: 1
name: warm
project: 7595e8f2-32d3-4c76-a324-c6a85dae87b5
analyses:
- kind: nextflow
  forEach: {rows: [{s: a}]}
  userReference: "{{ row.s }}"
  pipelineId: f606f580-d476-47a8-9679-9ddb39fcb0a8
  analysisInput: {inputs: {f: fil.1}}
"""


def warm_up(without: str = "__main__") -> None:
    """Import what commands import where they use it, but for one part of the product, and compile what they need.

    What is there then is kept from the collector: a fork that touches it would copy it.
    """
    import manifest_runner

    found = [module.name for module in pkgutil.walk_packages(manifest_runner.__path__, "manifest_runner.")]
    left = (f"manifest_runner.{without}", "manifest_runner.__main__")
    for name in [*_IMPORTED_LATE, *(name for name in found if not name.startswith(left))]:
        with contextlib.suppress(ImportError):  # what an extra needs
            import_module(name)
    _render()
    gc.freeze()


def _render() -> None:
    """Compile the schemas and the lexer of templates. Nothing is written and nobody is called."""
    from manifest_runner.commands import preview
    from manifest_runner.commands.setup.context import Context
    from manifest_runner.commands.setup.options import RunOptions, Target

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "warm.yaml"
        path.write_text(_MANIFEST)
        for _ in preview.render(path, Target(), RunOptions(), Context({}, Path(folder))):
            pass
