"""A model behind a server, as a file names it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from promptkit.errors import ModelError
from promptkit.generate.model import Loading, ModelDeclaration
from promptkit.spec import Count, NaturalNumber

if TYPE_CHECKING:
    from promptkit.generate.server_generator import ServerGenerator

__all__ = ["ServerModel"]


class ServerModel(ModelDeclaration):
    """A model behind an OpenAI-compatible server."""

    kind = "server"

    base_url: str = Field(description="the server's address up to its version, such as http://127.0.0.1:8000/v1")
    name: str = Field(min_length=1, description="the model's name on the server")
    api_key_env: str | None = Field(
        default=None, description="the environment variable that holds the key, which is never recorded or shown"
    )
    concurrency: Count = Field(default=8, description="how many requests are on their way at once")
    timeout_s: Annotated[float, Field(gt=0)] = Field(
        default=120.0,
        description="the longest silence before a request is sent again; a server is silent while its model writes",
    )
    max_retries: NaturalNumber = Field(
        default=4, description="how often a request is sent again after a lost connection, a 429 or a 5xx"
    )

    @field_validator("base_url", mode="after")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not is_address(value):
            message = "must be an http or https address such as http://127.0.0.1:8000/v1, not {value}"
            raise PydanticCustomError("base_url", message, {"value": repr(str(value))})
        if "@" in urlsplit(value).netloc:
            raise PydanticCustomError("base_url", "must hold no key or password: `api_key_env` names where the key is")
        return str(value).rstrip("/")

    @property
    def label(self) -> str:
        """The model's name on the server."""
        return self.name

    def open(self, loading: Loading) -> ServerGenerator:
        """The generator; the server is asked with the first completion. `loading` is the server's own matter.

        Raises `ModelError` where the environment does not hold the key.
        """
        from promptkit.generate.server_generator import ServerGenerator  # noqa: PLC0415 - `check` needs no generator

        return ServerGenerator(self, self._key())

    def _key(self) -> str | None:
        if self.api_key_env is None:
            return None
        key = os.environ.get(self.api_key_env, "").strip()
        if not key:
            raise ModelError(f"model {self.name!r}: the environment variable {self.api_key_env!r} holds no key")
        if not re.fullmatch(r"[!-~]+", key):
            raise ModelError(f"model {self.name!r}: what {self.api_key_env!r} holds is not plain ASCII, so no key")
        return key


def is_address(value: str) -> bool:
    """Whether a text is an address that requests can be sent to."""
    try:
        parts = urlsplit(value)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.port != 0  # reading it also checks that it is a number
            and not (parts.query or parts.fragment)
            and re.fullmatch(r"[!-~]+", value) is not None  # plain ASCII without spaces
        )
    except ValueError:
        return False
