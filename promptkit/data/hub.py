"""Rows of data sets from the Hugging Face hub, or of a folder that is laid out like one, through `datasets`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptkit.data.files import Row
from promptkit.errors import DataError

__all__ = ["HubDataSet", "rows_of_hub"]

TIMEOUT_S = 10
OFFLINE_HINT = (
    "    without the hub: name files with the same rows as `local:` and give their folder with --data, or use `files:`"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HubDataSet:
    """One split of a data set of the hub; with `folder`, of the folder that stands in the place of its id."""

    id: str
    split: str
    config: str | None = None
    revision: str | None = None
    folder: Path | None = None

    def __str__(self) -> str:
        return f"{self.id}[{self.split}]"


def rows_of_hub(data_set: HubDataSet) -> Iterator[Row]:
    """The rows. A hub that does not answer fails within seconds, unless the data set was fetched before.

    Code that comes with a data set never runs. Raises `DataError` that names the data set.
    """
    try:
        rows = iter(load(data_set))
    except DataError:
        raise
    except Exception as error:  # whatever `datasets` and the formats below it raise, the data set is at fault
        raise DataError(f"{data_set}: cannot be loaded: {reason_of(error)}") from error
    index = 0
    while True:
        try:
            fields = next(rows, None)
        except Exception as error:  # decoding is lazy, and raises as freely
            raise DataError(f"{data_set}[{index}]: cannot be read: {reason_of(error)}") from error
        if fields is None:
            break
        yield Row(origin=f"{data_set}[{index}]", fields=fields)
        index += 1
    if index == 0:
        raise DataError(f"{data_set}: holds no rows")


def load(data_set: HubDataSet) -> Any:
    """The opened `datasets.Dataset`; what was fetched before where the hub is out of reach."""
    out_of_reach = None if data_set.folder else why_out_of_reach(data_set)
    if out_of_reach and data_set.revision:  # what is kept may be another revision, and nothing would say so
        before = f"whether revision {data_set.revision!r} was fetched before is not known"
        raise not_reached(data_set, before, out_of_reach)
    import datasets  # noqa: PLC0415 - takes a second or two, and most runs read files

    path = str(data_set.folder or data_set.id)
    with offline() if out_of_reach else nullcontext():
        try:
            return datasets.load_dataset(path, name=data_set.config, split=data_set.split, revision=data_set.revision)
        except ConnectionError as error:
            raise not_reached(data_set, "the data set was not fetched before", out_of_reach or str(error)) from error
        except Exception as error:
            if out_of_reach is None:
                raise
            before = f"what was fetched before does not hold it ({reason_of(error)})"
            raise not_reached(data_set, before, out_of_reach) from error


def not_reached(data_set: HubDataSet, before: str, reason: str) -> DataError:
    """The error for a hub that does not answer, with what works without it."""
    return DataError(f"{data_set}: the hub is out of reach, and {before}: {reason}\n{OFFLINE_HINT}")


def why_out_of_reach(data_set: HubDataSet) -> str | None:
    """Why the hub does not answer, from one question without retries; None where it answers, whatever it says.

    `datasets` itself asks six times before it gives up, for about half a minute.
    """
    import datasets  # noqa: PLC0415
    from huggingface_hub import HfApi  # noqa: PLC0415
    from huggingface_hub.errors import HfHubHTTPError  # noqa: PLC0415

    if datasets.config.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set"
    hub = HfApi(endpoint=datasets.config.HF_ENDPOINT)
    try:
        hub.dataset_info(data_set.id, revision=data_set.revision, timeout=TIMEOUT_S)
    except HfHubHTTPError as error:  # it answers; what it has against the question, `datasets` says well
        return reason_of(error) if error.response.status_code >= 500 else None
    except ValueError:  # no id that the hub could have
        return None
    except Exception as error:  # noqa: BLE001 - the hub's client has its own tree, another one each version
        return reason_of(error)
    return None


@contextmanager
def offline() -> Iterator[None]:
    """`datasets` in its offline mode, in which it takes what it has kept and asks nobody."""
    import datasets  # noqa: PLC0415

    before = datasets.config.HF_HUB_OFFLINE
    datasets.config.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE = before


def reason_of(error: Exception) -> str:
    """The first line of what went wrong, or of its cause, which knows more."""
    first = str(error.__cause__ or error).strip().splitlines()
    return first[0].rstrip(".") if first else type(error).__name__
