"""The requirements of a manifest's author (``require``), checked for each row."""

from __future__ import annotations

from manifest_runner.items.analysis_faults import AnalysisFaults
from manifest_runner.items.preparing.prepare import PreparedAnalysis
from manifest_runner.items.wanted_rows import WantedRow
from manifest_runner.templates.model import TemplateFault


def meets_requirements(analysis: PreparedAnalysis, faults: AnalysisFaults, wanted: WantedRow) -> bool:
    """Whether all requirements hold for an item; any that does not is reported."""
    from manifest_runner.templates.conditions import holds  # which imports jinja2

    index, row_id, row, beside = wanted
    scope, is_met = analysis.renderer.scope(row, index, beside), True
    for each in analysis.requirements:
        try:
            if not holds(each.that.render(scope)):
                is_met = False
                message = each.message if isinstance(each.message, str) else str(each.message.template.render(scope))
                faults.add_requirement(("require", each.index, "that"), message, row_id)
        except TemplateFault as e:
            is_met = False
            template = e.template or each.that
            faults.add_template(("require", each.index), e, template.text, row_id)
    return is_met
