"""Where examples come from: files, hub, rows; splits; targets."""

from promptkit.data.example import Example
from promptkit.data.section import DataSection, DataSource
from promptkit.data.split import read_file, read_rows, read_split, target_of

__all__ = [
    "DataSection",
    "DataSource",
    "Example",
    "read_file",
    "read_rows",
    "read_split",
    "target_of",
]
