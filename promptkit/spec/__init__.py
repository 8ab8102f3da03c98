"""The declaration: YAML with positions, read into frozen, described models."""

from promptkit.spec.coordinates import Coordinates
from promptkit.spec.declaration import Count, Declaration, NaturalNumber, Seam, StepDeclaration, Texts, kinds_of
from promptkit.spec.grammar import Grammar, Production, Rules, Terminal
from promptkit.spec.reading import compose, read
from promptkit.spec.shipped import find_chain, find_pipeline, shipped_chains, shipped_folder, shipped_pipelines
from promptkit.spec.template import Template

__all__ = [
    "Coordinates",
    "Count",
    "Declaration",
    "Grammar",
    "NaturalNumber",
    "Production",
    "Rules",
    "Seam",
    "StepDeclaration",
    "Template",
    "Terminal",
    "Texts",
    "compose",
    "find_chain",
    "find_pipeline",
    "kinds_of",
    "read",
    "shipped_chains",
    "shipped_folder",
    "shipped_pipelines",
]
