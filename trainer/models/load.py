"""Base models and tokenizers, from a folder or from the Hub; every way it can fail is one clear sentence.

Safetensors only, and never code that came with the model. It knows nothing of jobs, adapters or the database.
"""

import json
import socket
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

import torch
from huggingface_hub import constants, try_to_load_from_cache
from huggingface_hub.errors import HFValidationError
from safetensors import SafetensorError
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from trainer.models import weights

# For bases that were never taught to chat: Alpaca's layout, the end marked by the model's own end token.
PLAIN_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}"
    "{{ '### Response:\n' + message['content'] + eos_token + '\n\n' }}"
    "{% elif message['role'] == 'system' %}{{ message['content'] + '\n\n' }}"
    "{% else %}{{ '### Instruction:\n' + message['content'] + '\n\n' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '### Response:\n' }}{% endif %}"
)

_IS_ADAPTER = "base model: {} holds an adapter, not a whole model; point to the model it was tuned from."


def pick_device() -> torch.device:
    """The GPU when there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def pick_dtype(device: torch.device) -> torch.dtype:
    """How weights are held: bfloat16 on a GPU that has it, float32 elsewhere."""
    if device.type == "cuda" and torch.cuda.is_bf16_supported():
        return torch.bfloat16
    return torch.float32


def load_base(
    location: str,
    revision: str = "",
    *,
    dtype: torch.dtype,
    device: torch.device | str,
    quantised: BitsAndBytesConfig | None = None,
) -> PreTrainedModel:
    """The causal language model at `location` (absolute folder, or owner/name on the Hub), in eval mode.

    `quantised` says how its linear layers are packed, if they are to be.
    Raises ValueError, one sentence that begins "base model:", for whatever is wrong with it.
    """
    if _is_folder(location):
        _check_folder(Path(location))
    local = not _is_folder(location) and hub_is_out_of_reach()
    try:
        model, report = AutoModelForCausalLM.from_pretrained(
            location,
            revision=revision or None,
            dtype=dtype,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
            local_files_only=local,
            adapter_kwargs={"local_files_only": local},  # it looks for an adapter at that place, too
            **({"quantization_config": quantised, "device_map": {"": device}} if quantised else {}),
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError, HFValidationError) as error:
        raise ValueError(_load_failure(location, error)) from error
    missing = sorted(report["missing_keys"])
    if missing:  # transformers fills these with random numbers and only logs it
        raise ValueError(
            f"base model: the weights of {location} lack {len(missing)} tensors ({missing[0]}, ...); "
            "save or download the model again."
        )
    if getattr(model, "_hf_peft_config_loaded", False):
        raise ValueError(_IS_ADAPTER.format(location))
    return model.eval() if quantised else model.to(device).eval()  # packed weights stay where they are


def load_tokenizer(location: str, revision: str = "") -> PreTrainedTokenizerBase:
    """The tokenizer at `location`, with a chat template and a padding token for certain.

    Raises ValueError, one sentence that begins "base model:", for whatever is wrong with it.
    """
    if _is_folder(location):
        _require_folder(Path(location))
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            location,
            revision=revision or None,
            trust_remote_code=False,
            local_files_only=not _is_folder(location) and hub_is_out_of_reach(),
        )
    except (OSError, ValueError, KeyError, RuntimeError, HFValidationError) as error:
        raise ValueError(_tokenizer_failure(location, error)) from error
    if tokenizer.eos_token is None:
        raise ValueError(
            f"base model: the tokenizer of {location} has no end-of-text token, so answers would never end; "
            "set eos_token in its tokenizer_config.json."
        )
    if not tokenizer.chat_template:
        tokenizer.chat_template = PLAIN_TEMPLATE
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def template_hash(tokenizer: PreTrainedTokenizerBase) -> str:
    """SHA-256 of the chat template that is in force."""
    return sha256(json.dumps(tokenizer.chat_template, sort_keys=True).encode()).hexdigest()


def base_revision(location: str, revision: str = "") -> str:
    """Which weights exactly: the Hub's commit, or for a folder the SHA-256 of its weight files.

    Ask after `load_base`, which brings the files here. Empty when a Hub model is not in the cache.
    """
    if _is_folder(location):
        return weights.hash_files(weights.files_of(Path(location)))
    cached = try_to_load_from_cache(location, "config.json", revision=revision or None)
    return Path(cached).parent.name if isinstance(cached, str) else ""


def context_length(model: PreTrainedModel) -> int | None:
    """Tokens the model can take in, prompt and answer together; None when its config does not say."""
    return getattr(model.config.get_text_config(), "max_position_embeddings", None)


def hub_is_out_of_reach() -> bool:
    """True where the Hub's name cannot even be resolved: asking it anyway costs 45 seconds of retries."""
    if getproxies():
        return False
    try:
        socket.getaddrinfo(urlsplit(constants.ENDPOINT).hostname, 443)
    except OSError:
        return True
    return False


def _is_folder(location: str) -> bool:
    return Path(location).is_absolute()


def _require_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise ValueError(
            f"base model: there is no folder {folder}; correct its location or put the model there."
        )
    config = folder / "config.json"
    if not config.is_file():
        raise ValueError(f"base model: {folder} holds no config.json; point to the folder of a saved model.")
    try:
        json.loads(config.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(
            f"base model: {config} is not readable JSON; save or download the model again."
        ) from error


def _check_folder(folder: Path) -> None:
    _require_folder(folder)
    if (folder / "adapter_config.json").exists():  # transformers would quietly load what it names
        raise ValueError(_IS_ADAPTER.format(folder))
    try:
        for file in weights.files_of(folder):
            weights.header(file)
    except (ValueError, OSError) as error:
        raise ValueError(f"base model: {folder}: {error}; save or download the model again.") from error


def _load_failure(location: str, error: Exception) -> str:
    if not _is_folder(location) and isinstance(error, OSError):
        return _hub_failure(location)
    reason = str(error).strip().split("\n")[0].rstrip(".")
    return (
        f"base model: {location} cannot be loaded ({reason}); "
        "choose a model this version of transformers knows."
    )


def _tokenizer_failure(location: str, error: Exception) -> str:
    if not _is_folder(location) and isinstance(error, OSError):
        return _hub_failure(location)
    return (
        f"base model: {location} has no tokenizer that can be read ({type(error).__name__}); "
        "copy tokenizer.json and tokenizer_config.json into its folder."
    )


def _hub_failure(location: str) -> str:
    return (
        f"base model: {location} could not be fetched from the Hub; check the name and the network, "
        "or give a folder on this machine."
    )
