"""The declaration: YAML with positions, read into frozen, described models."""

from promptkit.spec.coordinates import Coordinates
from promptkit.spec.declaration import Count, Declaration, NaturalNumber, Seam, Seed, StepDeclaration, Texts, kinds_of
from promptkit.spec.document import Node
from promptkit.spec.grammar import Grammar, Production, Rules, Terminal
from promptkit.spec.overrides import MATRIX_WORDS, Asking, parts_of, put, resolved
from promptkit.spec.reading import compose, read
from promptkit.spec.shipped import find_chain, find_pipeline, shipped_chains, shipped_folder, shipped_pipelines
from promptkit.spec.template import Template

__all__ = [
    "MATRIX_WORDS",
    "Asking",
    "Coordinates",
    "Count",
    "Declaration",
    "Grammar",
    "NaturalNumber",
    "Node",
    "Production",
    "Rules",
    "Seam",
    "Seed",
    "StepDeclaration",
    "Template",
    "Terminal",
    "Texts",
    "compose",
    "find_chain",
    "find_pipeline",
    "kinds_of",
    "parts_of",
    "put",
    "read",
    "resolved",
    "shipped_chains",
    "shipped_folder",
    "shipped_pipelines",
]
