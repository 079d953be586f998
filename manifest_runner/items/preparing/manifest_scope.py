"""The names that are the same for every row of a manifest, with their values."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

import msgspec

from manifest_runner.diagnostics.finding import Place
from manifest_runner.items.preparing.fault_log import FaultLog
from manifest_runner.items.preparing.template_cache import TemplateCache
from manifest_runner.manifest.document import Document
from manifest_runner.model import DataPath
from manifest_runner.templates.scope import Scope


class ManifestScope(msgspec.Struct, frozen=True):
    """The names that are the same for every row, with their values.

    ``broken_vars`` and ``broken_tables`` have a fault of their own, which is already reported.
    """

    document: Document
    values: Mapping[str, Any]
    broken_vars: Set[str]
    broken_tables: Set[str]
    templates: TemplateCache
    faults: FaultLog

    def known(self) -> dict[str, Scope | None]:
        """The names, and the keys of those that are mappings."""
        return {name: value if isinstance(value, Scope) else None for name, value in self.values.items()}

    def place(self, path: DataPath, analysis: int | None, *, at_key: bool = False) -> Place:
        """Where something was written, in an analysis or (None) at the top of the manifest."""
        if analysis is None:
            return self.document.source.place(path, at_key=at_key)
        return self.document.place(analysis, path, at_key=at_key)
