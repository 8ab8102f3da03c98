"""What is made of a model's files once and kept: its tokenizer and facts, and the dequantised copy of a GGUF file.

Later starts read the copies in a moment, without transformers.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from promptkit.errors import ModelError
from promptkit.folders import cache_folder
from promptkit.generate.fingerprint import fingerprint, is_remembered
from promptkit.generate.model_files import ModelFiles, count_parameters
from promptkit.generate.tokenizer import FastTokenizer

__all__ = ["Facts", "Sizes", "kept_tokenizer", "known_facts", "prepare_facts", "prepare_weights", "whole_folder"]

log = logging.getLogger(__name__)

LAYOUT = 2  # raised when what is kept changes shape
FACTS = "facts.json"
TOKENIZER_FILES = (
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template*",
    "vocab*",
    "merges.txt",
    "*.model",
    "*.tiktoken",
    "config.json",
    "generation_config.json",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """A model's sizes, as far as its configuration says them: what a plan of its memory needs.

    `sliding_window` is given only where every layer has it; `is_tied` says that the embedding is the head, too.
    """

    num_layers: int | None = None
    num_heads: int | None = None
    num_kv_heads: int | None = None
    key_size: int | None = None
    value_size: int | None = None
    hidden_size: int | None = None
    intermediate_size: int | None = None
    vocab_size: int | None = None
    sliding_window: int | None = None
    is_tied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What promptkit knows of a model without loading it. `folder` holds its `tokenizer.json`."""

    folder: Path
    context_length: int | None
    eos_token_ids: tuple[int, ...]
    bos_token_id: int | None
    num_parameters: int
    architecture: str
    chat_template: str | None
    special_tokens: Mapping[str, str] = field(default_factory=dict)
    sizes: Sizes = Sizes()


def prepare_facts(files: ModelFiles) -> Facts:
    """The facts of a model, made on first sight and read from the cache after that."""
    known = known_facts(files)
    if known is not None:
        return known
    log.info("%s: reading the tokenizer; this happens once", files.name)
    folder = facts_folder(files)
    with whole_folder(folder) as partial:
        write_facts(files, partial)
    return read_facts(folder)


def known_facts(files: ModelFiles) -> Facts | None:
    """The facts of a model if they were made before, else None."""
    folder = facts_folder(files)
    return read_facts(folder) if (folder / FACTS).is_file() else None


def kept_tokenizer(files: ModelFiles) -> FastTokenizer | None:
    """A model's tokenizer, if its facts were made before and are found in a moment, else None."""
    facts = known_facts(files) if all(map(is_remembered, files.weights if files.gguf else ())) else None
    if facts is None:
        return None
    return FastTokenizer(facts.folder / "tokenizer.json", facts.chat_template, facts.special_tokens)


def facts_folder(files: ModelFiles) -> Path:
    """Where a model's facts are kept: under the hash of all that they follow from."""
    sources = [path for pattern in TOKENIZER_FILES for path in files.folder.glob(pattern)] if not files.gguf else []
    key = fingerprint([*sources, *files.weights] if files.gguf else sources)
    return cache_folder() / "models" / f"{key[:20]}-facts{LAYOUT}-{version('transformers')}"


def read_facts(folder: Path) -> Facts:
    """The facts that a folder keeps."""
    known = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    known["eos_token_ids"] = tuple(known["eos_token_ids"])
    known["sizes"] = Sizes(**known["sizes"])
    return Facts(folder=folder, **known)


def prepare_weights(files: ModelFiles, dtype: str) -> Path:
    """The folder to load weights from: the model's own, or a dequantised copy of its GGUF file in `dtype`."""
    if not files.gguf:
        return files.folder
    folder = cache_folder() / "models" / f"{fingerprint(files.weights)[:20]}-{dtype}"
    if not (folder / "config.json").is_file():
        log.info("%s: writing a %s copy of the GGUF file; this happens once", files.name, dtype)
        with whole_folder(folder) as partial:
            dequantise(files, dtype, partial)
    return folder


@contextlib.contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A folder to write in, which becomes `folder` when all went well, and vanishes when not."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder.parent))
    try:
        yield partial
        with contextlib.suppress(OSError):  # another process was faster: its copy is as good
            partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextlib.contextmanager
def reading(files: ModelFiles) -> Iterator[None]:
    """Turns whatever goes wrong inside transformers and gguf into one `ModelError` that names the model."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # progress bars of steps that nobody asked for
            yield
    except ModelError:
        raise
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
        what = "the GGUF file cannot be read (is it whole?)" if files.gguf else "cannot be loaded"
        raise ModelError(f"model {files.name!r}: {what}: {reason}") from error


def write_facts(files: ModelFiles, folder: Path) -> None:
    """Writes `tokenizer.json` and `facts.json`, as transformers reads them from the model's files."""
    with reading(files):
        from transformers import AutoConfig, AutoTokenizer  # noqa: PLC0415 - imports torch

        where: dict[str, Any] = {"gguf_file": files.gguf} if files.gguf else {}
        config = AutoConfig.from_pretrained(files.folder, trust_remote_code=False, **where)
        tokenizer = AutoTokenizer.from_pretrained(files.folder, trust_remote_code=False, use_fast=True, **where)
        if not getattr(tokenizer, "is_fast", False):
            raise ModelError(f"model {files.name!r}: its tokenizer has no fast form (tokenizer.json)")
        (folder / "tokenizer.json").write_text(tokenizer.backend_tokenizer.to_str(), encoding="utf-8")
        facts = facts_of(files, config, tokenizer)
    (folder / FACTS).write_text(json.dumps(facts, indent=1), encoding="utf-8")


def facts_of(files: ModelFiles, config: Any, tokenizer: Any) -> dict[str, Any]:
    """The facts as JSON values, from transformers' configuration and tokenizer."""
    text_config = config.get_text_config()
    template = tokenizer.chat_template
    facts = Facts(
        folder=files.folder,
        context_length=getattr(text_config, "max_position_embeddings", None)
        or getattr(text_config, "n_positions", None),
        eos_token_ids=eos_ids(files, text_config, tokenizer),
        bos_token_id=tokenizer.bos_token_id,
        num_parameters=count_parameters(files),
        architecture=str(text_config.model_type),
        chat_template=template if isinstance(template, str) else None,
        special_tokens={
            name: str(token) for name, token in tokenizer.special_tokens_map.items() if isinstance(token, str)
        },
        sizes=sizes_of(text_config),
    )
    known = asdict(facts)
    del known["folder"]
    return known


def sizes_of(config: Any) -> Sizes:
    """The sizes that a text model's configuration says; older names are mapped by its own `attribute_map`."""
    hidden, heads = first_number(config, "hidden_size", "n_embd"), first_number(config, "num_attention_heads", "n_head")
    head_size = hidden // heads if hidden and heads else None
    # multi-head latent attention names the sizes of its keys and values apart
    nope, rope = first_number(config, "qk_nope_head_dim"), first_number(config, "qk_rope_head_dim")
    key_size = nope + rope if nope and rope else first_number(config, "head_dim") or head_size
    kinds = set(getattr(config, "layer_types", None) or ())
    slides = kinds == {"sliding_attention"} or (not kinds and getattr(config, "use_sliding_window", True))
    return Sizes(
        num_layers=first_number(config, "num_hidden_layers", "n_layer"),
        num_heads=heads,
        num_kv_heads=first_number(config, "num_key_value_heads", "num_kv_heads") or heads,
        key_size=key_size,
        value_size=first_number(config, "v_head_dim") or key_size,
        hidden_size=hidden,
        intermediate_size=first_number(config, "intermediate_size", "n_inner", "ffn_dim") or (hidden and 4 * hidden),
        vocab_size=first_number(config, "vocab_size"),
        sliding_window=first_number(config, "sliding_window") if slides else None,
        is_tied=bool(getattr(config, "tie_word_embeddings", False)),
    )


def first_number(config: Any, *names: str) -> int | None:
    """The first of these that the configuration says, as a number; of a list, which has one a layer, the greatest."""
    for name in names:
        value = getattr(config, name, None)
        if isinstance(value, list) and value and all(isinstance(each, int) for each in value):
            value = max(value)
        if isinstance(value, int) and value > 0:
            return value
    return None


def eos_ids(files: ModelFiles, config: Any, tokenizer: Any) -> tuple[int, ...]:
    """All tokens that end a text: the generation settings' where the model has some, else the configuration's."""
    declared: Any = None
    settings = files.folder / "generation_config.json"
    if not files.gguf and settings.is_file():
        declared = json.loads(settings.read_text()).get("eos_token_id")
    if declared is None:
        declared = config.eos_token_id
    ids = declared if isinstance(declared, list) else [declared, tokenizer.eos_token_id]
    return tuple(sorted({int(each) for each in ids if each is not None}))


def dequantise(files: ModelFiles, dtype: str, folder: Path) -> None:
    """Writes the GGUF file's weights as plain safetensors in `dtype`, with their configuration."""
    with reading(files):
        import torch  # noqa: PLC0415 - slow to import
        import transformers  # noqa: PLC0415

        transformers.utils.logging.disable_progress_bar()
        model = transformers.AutoModelForCausalLM.from_pretrained(
            files.folder,
            gguf_file=files.gguf,
            dtype=getattr(torch, dtype),
            quantization_config=transformers.GgufConfig(dequantize=True),
            trust_remote_code=False,
        )
        model.save_pretrained(folder)
