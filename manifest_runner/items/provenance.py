"""Where an item comes from: the places in the manifest and in the samplesheet that made it what it is."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from manifest_runner.diagnostics.finding import Place
from manifest_runner.items.preparing.prepare import PreparedAnalysis
from manifest_runner.items.shorthands import TemplateSlot
from manifest_runner.manifest.document import Document
from manifest_runner.model import Item


class Provenance(msgspec.Struct, frozen=True, eq=False):
    """The provenance of the items of a document, whose ``analyses`` are known by their index."""

    document: Document
    analyses: Mapping[int, PreparedAnalysis]

    def place(self, item: Item, field: str) -> Place:
        """Where a field of an item was written in the manifest."""
        return self.document.place(item.analysis, (field,))

    def row(self, item: Item) -> Place | None:
        """The item's row, the first of a group."""
        return self.analyses[item.analysis].rows.place(item.row)

    def is_named_by_row(self, item: Item) -> bool:
        """Whether a template makes the userReference of an item from its row."""
        return isinstance(self.analyses[item.analysis].fields["userReference"], TemplateSlot)

    def is_grouped(self, item: Item) -> bool:
        """Whether the item may have several rows."""
        for_each = self.analyses[item.analysis].spec.for_each
        return for_each is not None and for_each.group_by is not None
