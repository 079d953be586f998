"""The public SDK works against the emulator, unchanged: its models accept every answer."""

from __future__ import annotations

import warnings

import pytest

with warnings.catch_warnings():
    # Its models name fields ``json`` or ``schema``, which pydantic warns of on import.
    warnings.simplefilter("ignore")
    from libica.openapi import v3 as libica
    from libica.openapi.v3.api.project_analysis_api import ProjectAnalysisApi
    from libica.openapi.v3.api.project_analysis_creation_batch_api import ProjectAnalysisCreationBatchApi
    from libica.openapi.v3.api.project_api import ProjectApi
    from libica.openapi.v3.api.token_api import TokenApi
