"""Encoders from a folder or from the Hub, with a head put on; every way it can fail is one clear sentence.

Weights are read from safetensors where there are any. BioBERT's and Bio_ClinicalBERT's repositories hold only
`pytorch_model.bin`, a pickle: it is read by torch with `weights_only`, which makes tensors and refuses
whatever else a pickle could do. Code that came with a model is never run.
"""

import json
import pickle
from dataclasses import dataclass
from pathlib import Path

import torch
from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging as hub_logging

from db.encoder_heads import TOKENS, Head
from trainer.encoders.encode import Collator
from trainer.encoders.heads import tags_of
from trainer.models import weights
from trainer.models.load import hub_is_out_of_reach

PICKLE = "pytorch_model.bin"
_NOT_CODE = ["*.json", "*.txt", "*.model"]  # of a repository: config and tokenizer; never *.py
_TROUBLE = (OSError, ValueError, KeyError, RuntimeError, SafetensorError, pickle.UnpicklingError)


@dataclass(frozen=True)
class Ready:
    """An encoder with its head, in float32 on the CPU, and its tokenizer; `longest` row in tokens."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    longest: int

    def collator(self, head: Head) -> Collator:
        names = self.tokenizer.model_input_names
        return Collator(self.tokenizer.pad_token_id, "token_type_ids" in names, head.takes_several)


def fetch(location: str, revision: str = "") -> Path:
    """The folder of the encoder at `location`, brought from the Hub where it is owner/name.

    Raises ValueError, one sentence that begins "location:".
    """
    if Path(location).is_absolute():
        return _checked(Path(location))
    local = hub_is_out_of_reach()
    try:
        kinds = None if local else [*_NOT_CODE, _weights_on_the_hub(location, revision)]
        folder = snapshot_download(
            location,
            revision=revision or None,
            allow_patterns=kinds,
            local_files_only=local,
        )
    except (OSError, ValueError, HfHubHTTPError, HFValidationError) as error:
        raise ValueError(
            f"location: {location} could not be fetched from the Hub; check the name and the network, give a "
            "folder on this machine, or take the stand-in."
        ) from error
    return _checked(Path(folder))


def identify(folder: Path) -> str:
    """Which weights exactly: the SHA-256 of the weight files."""
    return weights.hash_files(_weight_files(folder))


def load(folder: Path, head: Head) -> Ready:
    """The encoder in `folder` with the head put on: a head that lies there for other labels is not kept.

    Raises ValueError, one sentence that begins "location:".
    """
    tokenizer = _load_tokenizer(folder, in_words=head.kind == TOKENS)
    names = tags_of(head) if head.kind == TOKENS else head.labels
    auto = AutoModelForTokenClassification if head.kind == TOKENS else AutoModelForSequenceClassification
    hub_logging.set_verbosity_error()  # a head that is new is no news; what is lacking is checked below
    try:
        config = AutoConfig.from_pretrained(
            folder,
            trust_remote_code=False,
            local_files_only=True,
            num_labels=len(names),
            id2label=dict(enumerate(names)),
            label2id={name: number for number, name in enumerate(names)},
            problem_type=_problem(head),
        )
        model, report = auto.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            trust_remote_code=False,
            local_files_only=True,
            weights_only=True,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    except _TROUBLE as error:
        raise ValueError(_failure(folder, error)) from error
    _require_whole(folder, model, report)
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        raise ValueError(
            f"location: the tokenizer of {folder.name} has more words than its weights; put together what "
            "belongs together."
        )
    return Ready(model, tokenizer, _longest(model, tokenizer))


def _problem(head: Head) -> str | None:
    if head.kind == TOKENS:
        return None
    return "multi_label_classification" if head.takes_several else "single_label_classification"


def _load_tokenizer(folder: Path, *, in_words: bool) -> PreTrainedTokenizerBase:
    told = {"do_lower_case": False} if _has_lost_its_case(folder) else {}
    told |= {"trust_remote_code": False, "local_files_only": True}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **told)
        if in_words and getattr(tokenizer, "add_prefix_space", None) is False:  # RoBERTa's kind needs it
            tokenizer = AutoTokenizer.from_pretrained(folder, add_prefix_space=True, **told)
    except _TROUBLE as error:
        raise ValueError(
            f"location: {folder.name} has no tokenizer that can be read ({type(error).__name__}); copy its "
            "tokenizer's files into the folder."
        ) from error
    if not tokenizer.is_fast or tokenizer.pad_token is None:
        raise ValueError(
            f"location: the tokenizer of {folder.name} cannot tell which word a token is of, or has no "
            "padding; choose an encoder of BERT's kind."
        )
    return tokenizer


def _has_lost_its_case(folder: Path) -> bool:
    """True where a vocabulary with capitals came without the setting that keeps them in the text.

    So it is with Bio_ClinicalBERT and the older BioBERT (EmilyAlsentzer/clinicalBERT issue 26): transformers
    then lower-cases every text, and half of the vocabulary is never met.
    """
    words = folder / "vocab.txt"
    if any((folder / name).is_file() for name in ("tokenizer.json", "tokenizer_config.json")):
        return False
    if not words.is_file():
        return False
    with words.open(encoding="utf-8") as lines:
        return any(line != line.lower() for line in lines if not line.startswith("["))


def _checked(folder: Path) -> Path:
    if not folder.is_dir():
        raise ValueError(f"location: there is no folder {folder}; correct it or put the encoder there.")
    try:
        json.loads((folder / "config.json").read_text(encoding="utf-8"))
        for file in _weight_files(folder):
            if file.suffix == ".safetensors":
                weights.header(file)
    except (OSError, ValueError) as error:
        reason = "it holds no config.json" if isinstance(error, FileNotFoundError) else error
        raise ValueError(f"location: {folder}: {reason}; save or download the encoder again.") from error
    return folder


def _weight_files(folder: Path) -> list[Path]:
    """Safetensors, else the pickle. Raises ValueError where there is neither."""
    try:
        return weights.files_of(folder)
    except ValueError:
        pickled = folder / PICKLE
        if not pickled.is_file():
            raise
        return [pickled]


def _weights_on_the_hub(location: str, revision: str) -> str:
    files = HfApi().list_repo_files(location, revision=revision or None)
    has_safe = any(name.endswith(".safetensors") and "/" not in name for name in files)
    return "*.safetensors" if has_safe else PICKLE


def _require_whole(folder: Path, model: PreTrainedModel, report: dict) -> None:
    """Raises ValueError where tensors of the encoder itself were made up: transformers only logs that.

    The head is new, and BERT's pooler is where the checkpoint was made for masked words alone.
    """
    prefix = f"{model.base_model_prefix}."
    made_up = [*report["missing_keys"], *(key for key, *_ in report["mismatched_keys"])]
    lacking = sorted(key for key in made_up if key.startswith(prefix) and ".pooler." not in key)
    if lacking:
        raise ValueError(
            f"location: the weights of {folder.name} lack {len(lacking)} tensors of an encoder "
            f"({lacking[0]}, ...); save or download it again."
        )


def _longest(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """Tokens a row can have. RoBERTa counts positions from behind the padding's number."""
    positions = getattr(model.config, "max_position_embeddings", None) or 512
    if model.config.model_type in ("roberta", "xlm-roberta", "camembert"):
        positions -= model.config.pad_token_id + 1
    return min(positions, tokenizer.model_max_length)


def _failure(folder: Path, error: Exception) -> str:
    told = str(error)
    if isinstance(error, pickle.UnpicklingError) or "weights_only" in told.lower().replace(" ", "_"):
        return (
            f"location: {folder.name}/{PICKLE} holds more than tensors, so it was not opened; choose an "
            "encoder saved as safetensors."
        )
    first = told.strip().split("\n")[0].rstrip(".")[:160]
    return (
        f"location: {folder.name} cannot be loaded ({first}); choose an encoder that this version of "
        "transformers knows."
    )
