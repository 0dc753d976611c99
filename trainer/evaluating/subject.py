"""The model that is evaluated: a base, or an adapter on it, with what must be known to evaluate it again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from trainer import provenance
from trainer.evaluating import generation, likelihood
from trainer.evaluating.cache import is_plain
from trainer.models import load, precision
from trainer.serve.catalog import Target
from trainer.serve.holding import Held

_APART = {"fp32": 1e-3, "bf16": 0.05, "fp16": 0.02}  # of the largest logit
_NO_LIMIT = 2**31 - 1


@dataclass(frozen=True)
class Subject:
    """A model ready to be asked. `context` is how many tokens it takes in, prompt and answer together."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    end_ids: frozenset[int]
    context: int
    pads: bool  # rows of different lengths may share a batch
    shares: bool  # what rows begin with may be read once
    reads_trees: bool  # what answers share may be read once
    facts: Mapping[str, Any]  # provenance, ready for JSON


def load_subject(target: Target, asked_precision: str, context_length: int | None = None) -> Subject:
    """Load it, after the same checks as before the playground answers with it (`Held.use`).

    Raises ValueError, one sentence with the field in front.
    """
    device = load.pick_device()
    dtype = precision.pick(asked_precision, device)
    held = Held(target.base, dtype=dtype)
    if target.adapter is not None:
        held.use(target.adapter)
        assert held.peft_model is not None
        if precision.name(dtype) == "fp32":  # exact to the last digits, and spares each layer two products
            held.peft_model.merge_adapter()
    model = held.model
    format = precision.name(dtype)
    shares, pads = is_plain(model), generation.pads(model, _APART[format])
    trees = likelihood.reads_trees(model)
    return Subject(
        model=model,
        tokenizer=held.tokenizer,
        end_ids=held.end_ids,
        context=_context(model, context_length),
        pads=pads,
        shares=shares and pads,
        reads_trees=trees,
        facts={
            "base": {
                "name": target.base.name,
                "location": target.base.location,
                "revision": held.revision,
            },
            "adapter": _adapter(held, target),
            "template_hash": held.template_hash,
            "precision": format,
            "device": device.type,
            "end_tokens": sorted(held.end_ids),
            "context": _context(model, context_length),
            "packages": provenance.packages(),
            "studio_commit": provenance.commit(),
            "hardware": provenance.hardware(device),
        },
    )


def _adapter(held: Held, target: Target) -> dict[str, Any] | None:
    """With what is no longer as it was when the adapter was tuned: "base", "template", or nothing."""
    adapter = target.adapter
    if adapter is None:
        return None
    pairs = {
        "base": (adapter.base_revision, held.revision),
        "template": (adapter.template_hash, held.template_hash),
    }
    changed = [name for name, (then, now) in pairs.items() if then and then != now]
    return {
        "id": adapter.id,
        "name": adapter.name,
        "hash": held.hash_of(adapter),
        "changed_since_tuning": changed,
    }


def _context(model: PreTrainedModel, said: int | None) -> int:
    return min(load.context_length(model) or _NO_LIMIT, said or _NO_LIMIT)
