"""An answer's provenance in words: which weights, how drawn, on what."""

from bioui.present import counted


def provenance_rows(provenance: dict) -> list[list[str]]:
    """[name, value] lines of an answer's provenance, in reading order; what is not known is left out."""
    base, adapter = provenance.get("base") or {}, provenance.get("adapter") or {}
    batch, sampling = provenance.get("batch") or {}, provenance.get("sampling") or {}
    endpoint = provenance.get("endpoint") or {}
    rows = [
        ("Base", base.get("name")),
        ("Base revision", base.get("revision")),
        ("Adapter", adapter.get("name")),
        ("Step", adapter.get("step")),
        ("Adapter hash", adapter.get("hash")),
        ("Changed since tuning", " and ".join(adapter.get("changed_since_tuning") or [])),
        ("Endpoint", endpoint.get("name")),
        ("Model", endpoint.get("model")),
        ("Template hash", provenance.get("template_hash")),
        ("Number type", provenance.get("dtype")),
        ("Weights packed as", provenance.get("packed")),
        ("Device", provenance.get("device")),
        ("Threads", provenance.get("threads")),
        ("Batch", batch and _batch(batch)),
        ("Sampling", sampling and _sampling(sampling)),
        ("Seed", sampling.get("seed")),
        ("Versions", ", ".join(f"{name} {v}" for name, v in (provenance.get("packages") or {}).items())),
    ]
    return [[name, str(value)] for name, value in rows if value not in (None, "", {})]


def _batch(batch: dict) -> str:
    rows = counted(batch.get("rows", 0), "row")
    if "row" in batch:
        rows = f"row {batch['row'] + 1} of {batch.get('rows', 0)}"
    tokens = counted(batch.get("prompt_tokens", 0), "prompt token")
    passes = {"alternating": ", one step of each in turn"}.get(batch.get("passes", ""), "")
    return f"{rows}, {tokens}{passes}"


def _sampling(sampling: dict) -> str:
    temperature, longest = sampling.get("temperature", 0), counted(sampling.get("max_tokens", 0), "token")
    drawn = f"temperature {temperature:g}" if temperature else "greedy"
    return f"{drawn}, at most {longest}"
