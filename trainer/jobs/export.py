"""Write an adapter as other tools take it, with its card: a PEFT folder or a merged model; push it if asked.

A merged model has to answer as base and adapter did: their predictions for a prompt are compared first.
"""

import os
import shutil
from pathlib import Path

import torch
from huggingface_hub import CommitOperationAdd, HfApi, ModelCard
from huggingface_hub.errors import HfHubHTTPError, HTTPError
from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from db.export_spec import ExportSpec
from db.registry import STEPS, hash_file
from db.tables import Adapter
from trainer import prompts, provenance
from trainer.context import JobContext
from trainer.models import load
from trainer.models.lora import WEIGHTS

_FAR = 0.05  # mean difference of logits over their spread: rounding stays far below, another model far above


def run(context: JobContext) -> None:
    """Carry the job out. Raises ValueError with one sentence for what is broken or refused; Cancelled."""
    spec: ExportSpec = context.spec
    adapter, base = context.adapter()
    folder = _check(adapter)
    tokenizer = load.load_tokenizer(base.location, base.revision)

    home = context.settings.exports_dir / f"{context.job_id}-{folder.name}-{spec.form}"
    partial = home.with_name(home.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    if spec.form == "merged":
        context.progress("loading the base model")
        model = load.load_base(base.location, base.revision, dtype=torch.float32, device="cpu")
        context.require_wanted()
        context.progress("working the update in")
        merged = _merge(model, tokenizer, folder)
        context.progress("writing the model")
        merged.to(_format_of(folder)).save_pretrained(partial)
    else:
        shutil.copytree(folder, partial, ignore=shutil.ignore_patterns(STEPS))
    tokenizer.save_pretrained(partial)
    ModelCard(context.adapter_card(adapter.id, spec.form)).save(partial / "README.md")
    context.require_wanted()
    shutil.rmtree(home, ignore_errors=True)
    partial.rename(home)

    result = {"folder": str(home), "bytes": sum(file.stat().st_size for file in home.rglob("*"))}
    if spec.repository:
        context.progress(f"uploading to {spec.repository}")
        result |= push(home, spec, token=os.environ[context.token_variable()])
    context.finish(result)


def _check(adapter: Adapter) -> Path:
    """The adapter's folder, still what was trained. Raises ValueError when it is not."""
    folder = Path(adapter.path)
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise ValueError(f"adapter: its file {weights} is missing; tune it again or restore its folder.")
    if hash_file(weights) != adapter.adapter_hash:
        raise ValueError(f"adapter: {weights} is no longer what was trained; restore it or tune it again.")
    return folder


@torch.no_grad()
def _merge(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> PreTrainedModel:
    """The base with the update worked into its weights. Raises ValueError when it then answers otherwise."""
    ids = prompts.encode(tokenizer, prompts.to_prompt("What is aspirin for?"), for_answer=True)
    probe = torch.tensor([ids])
    tuned = PeftModel.from_pretrained(model, folder).eval()
    before = tuned(input_ids=probe).logits
    merged = tuned.merge_and_unload(safe_merge=True)
    after = merged(input_ids=probe).logits
    if float((after - before).abs().mean() / before.std()) > _FAR:
        raise ValueError(
            "adapter: merged, it answers otherwise than beside its base; export the adapter itself."
        )
    return merged


def _format_of(folder: Path) -> torch.dtype:
    """In which number format the merged model is written: that of the training, float32 where unknown."""
    named = provenance.read(folder).get("precision", "fp32")
    return {"bf16": torch.bfloat16, "fp16": torch.float16}.get(named, torch.float32)


def push(home: Path, spec: ExportSpec, *, token: str) -> dict[str, str]:
    """Upload the folder in one commit; where it went. Raises ValueError with what the Hub answered."""
    api = HfApi(token=token, library_name="bioinstruct-studio")
    try:
        url = api.create_repo(spec.repository, private=spec.private, exist_ok=True)
        if spec.private and not api.model_info(spec.repository).private:  # it was there, and stays as it is
            raise ValueError(
                f"repository: {spec.repository} is on the Hub already and public; nothing was pushed. Choose "
                "a new name, make it private there, or publish openly."
            )
        added = [
            CommitOperationAdd(path_in_repo=file.relative_to(home).as_posix(), path_or_fileobj=file)
            for file in sorted(home.rglob("*"))
            if file.is_file()
        ]
        commit = api.create_commit(spec.repository, operations=added, commit_message=home.name)
    except HfHubHTTPError as error:
        code = error.response.status_code if error.response is not None else "nothing"
        raise ValueError(
            f"hub: it answered {code}; see that the token may write to {spec.repository}, and try again."
        ) from error
    except (HTTPError, OSError, RuntimeError) as error:
        raise ValueError("hub: it could not be reached; nothing was published. Try again.") from error
    return {"repository": spec.repository, "url": str(url), "commit": commit.oid}
