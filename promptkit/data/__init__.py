"""Where examples come from: files, hub, rows; splits; targets. And where completions from anywhere do."""

from promptkit.data.example import Example
from promptkit.data.sample import Names, Sample, Unreadable
from promptkit.data.sample_file import Batch, SampleFile, open_samples
from promptkit.data.section import DataSection, DataSource
from promptkit.data.split import is_data_file, read_file, read_rows, read_split, target_of

__all__ = [
    "Batch",
    "DataSection",
    "DataSource",
    "Example",
    "Names",
    "Sample",
    "SampleFile",
    "Unreadable",
    "is_data_file",
    "open_samples",
    "read_file",
    "read_rows",
    "read_split",
    "target_of",
]
