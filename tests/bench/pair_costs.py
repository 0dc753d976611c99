"""What a pair costs beside one side alone: memory, time and the wait for the first token.

Two bases of Llama's architecture are asked, neither of which ends an answer by itself: the starter with the
row of its end token emptied (6 million parameters), and a larger one of random weights (157 million), both
with the starter's tokenizer and an adapter of rank 16 on all linear layers. Model servers are processes of
their own, asked over HTTP.

`memory_ratio`: the larger base with its adapter over the base alone: resident memory (PSS) of a server once
it has answered, servers of the two kinds in turns, medians. `memory_ratio_weights`: with libraries and
interpreter left out: 1 + what the pair's server holds more, by the size of the base's weights.
`time_ratio`: on the CPU, a pair in one batch over two passes; on a GPU over one side, the mean of both alone.
`ttft_ratio`: the wait for the first token of both sides over the wait for one side's, as the client sees it.
These two are medians over turns of base alone, adapter alone and the pair, for the starter; `..._larger` is
for the larger base. Time is the server's CPU seconds, which other work on the machine hardly touches; on a
GPU, the seconds that the server tells. The wait is the clock's.
"""

import json
import shutil
import statistics
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests import model_servers as servers

TURNS, TOKENS = 7, 96
FIRST_TURNS, FIRST_TOKENS = 25, 2
LARGER_SHARE = 1 / 3  # of these turns and tokens: it is thirty times as slow
MEMORY_TURNS = 3
LARGER = {
    "hidden_size": 1024, "intermediate_size": 2816, "num_hidden_layers": 12, "num_attention_heads": 16,
    "num_key_value_heads": 16, "head_dim": 64,
}  # fmt: skip
LAYERS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


@dataclass(frozen=True)
class Case:
    """A base and its adapter, as /v1/compare is told."""

    base: Mapping
    adapter: Mapping
    weights: int  # bytes that the base's weights take in memory

    @property
    def pair(self) -> list[Mapping]:
        return [self.base, self.adapter]


@dataclass(frozen=True)
class Turn:
    """One figure of the base alone, the adapter alone, and the pair."""

    base: float
    adapter: float
    pair: float


def main(argv: list[str]) -> None:
    parser = ArgumentParser(prog="python -m tests.bench pair_costs")
    parser.add_argument("--turns", type=int, default=TURNS, help="of the time; the first token's are more")
    given = parser.parse_args(argv)
    print(json.dumps(measure(given.turns)))


def measure(turns: int = TURNS) -> dict[str, float]:
    """The keys above. Raises RuntimeError when a server does not come up or refuses."""
    text = servers.text_of(servers.demo_rows()[0])
    with tempfile.TemporaryDirectory(prefix="studio-costs-") as name:
        folder = Path(name)
        settings = servers.open_studio(folder / "data")
        starter, larger = _endless_starter(folder / "starter"), _larger(folder / "larger")
        found = _memory(settings, larger, text)
        with servers.model_server(settings) as server, server.client() as client:
            for ending, case, share in (("", starter, 1.0), ("_larger", larger, LARGER_SHARE)):
                tokens, times, firsts = (round(share * each) for each in (TOKENS, turns, FIRST_TURNS))
                found[f"time_ratio{ending}"] = _time(server, client, case, text, tokens, times)
                found[f"ttft_ratio{ending}"] = _first_token(client, case, text, firsts)
    return {name: round(value, 3) for name, value in found.items()}


def _memory(settings, case: Case, text: str) -> dict[str, float]:
    held: dict[str, list[int]] = {"alone": [], "pair": []}
    for _ in range(MEMORY_TURNS):
        for name, sides in (("alone", [case.base]), ("pair", case.pair)):
            with servers.model_server(settings) as server, server.client() as client:
                _answer(client, sides, text, TOKENS // 3)
                held[name].append(server.process.memory_full_info().pss)
    alone, pair = (statistics.median(held[name]) for name in ("alone", "pair"))
    print(f"memory: base alone {alone / 2**20:.0f} MiB, base and adapter {pair / 2**20:.0f} MiB", flush=True)
    return {
        "memory_ratio": pair / alone,
        "memory_ratio_weights": 1 + (pair - alone) / case.weights,
    }


def _time(
    server: servers.Served, client: httpx.Client, case: Case, text: str, tokens: int, turns: int
) -> float:
    """On the CPU of a pair over both alone, on a GPU over the mean of both alone."""
    on_gpu = False

    def seconds(sides: Sequence[Mapping]) -> float:
        nonlocal on_gpu
        before = server.process.cpu_times()
        ends = _answer(client, sides, text, tokens)
        after = server.process.cpu_times()
        on_gpu = ends[0]["provenance"]["device"].startswith("cuda")
        if on_gpu:
            return max(end["tokens"] / end["tokens_per_second"] for end in ends)
        return after.user + after.system - before.user - before.system

    took = _turns(case, seconds, turns)
    share = 2 if on_gpu else 1
    ratio = statistics.median(share * turn.pair / (turn.base + turn.adapter) for turn in took)
    over = "the mean of one side" if on_gpu else "two passes"
    _tell(f"{tokens} tokens, {'' if on_gpu else 'CPU '}s", took, f"{ratio:.2f} of {over}")
    return ratio


def _first_token(client: httpx.Client, case: Case, text: str, turns: int) -> float:
    def seconds(sides: Sequence[Mapping]) -> float:
        first: dict[int, float] = {}
        for at, event in servers.ask(client, sides, text, max_tokens=FIRST_TOKENS):
            if event["type"] in ("delta", "done"):
                first.setdefault(event["position"], at)
        return max(first.values())

    took = _turns(case, seconds, turns)
    ratio = statistics.median(2 * turn.pair / (turn.base + turn.adapter) for turn in took)
    _tell("first token, s", took, f"{ratio:.2f} of one side")
    return ratio


def _turns(case: Case, seconds: Callable[[Sequence[Mapping]], float], turns: int) -> list[Turn]:
    """After one that only loads. The order goes round, so that none always comes first."""
    took, asked = [], [("base", [case.base]), ("adapter", [case.adapter]), ("pair", case.pair)]
    seconds(case.pair)
    for number in range(turns):
        order = asked[number % 3 :] + asked[: number % 3]
        took.append(Turn(**{name: seconds(sides) for name, sides in order}))
    return took


def _tell(title: str, took: Sequence[Turn], result: str) -> None:
    base, adapter, pair = (
        statistics.median(getattr(turn, name) for turn in took) for name in ("base", "adapter", "pair")
    )
    print(f"{title}: base {base:.3f}, adapter {adapter:.3f}, pair {pair:.3f}: {result}", flush=True)


def _answer(client: httpx.Client, sides: Sequence[Mapping], text: str, tokens: int) -> list[dict]:
    """The sides' ends. Raises RuntimeError when one is shorter than asked: nothing could be compared."""
    events = [event for _, event in servers.ask(client, sides, text, max_tokens=tokens)]
    ends = [event for event in events if event["type"] == "done"]
    if [end["tokens"] for end in ends] != [tokens] * len(sides):
        raise RuntimeError(f"answers of {[end['tokens'] for end in ends]} tokens; {tokens} were asked for")
    return ends


def _endless_starter(folder: Path) -> Case:
    """The starter, its end token hardly ever the likeliest: weights tied, so its row of embeddings goes."""
    from safetensors.torch import load_file, save_file
    from transformers import AutoTokenizer

    shutil.copytree(servers.STARTER, folder)
    weights = load_file(folder / "model.safetensors")
    weights["model.embed_tokens.weight"][AutoTokenizer.from_pretrained(folder).eos_token_id] = 0
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return _case("endless starter", folder)


def _larger(folder: Path) -> Case:
    """Random weights in bfloat16, as bases are published; nothing in them tends to an end."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    shutil.copytree(servers.STARTER, folder)
    config = AutoConfig.from_pretrained(folder)
    config.update(LARGER)
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).save_pretrained(folder)
    return _case("larger", folder)


def _case(name: str, folder: Path) -> Case:
    """Register the base, and an adapter of random weights that was made for it."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    size = sum(weight.numel() * weight.element_size() for weight in model.parameters())
    tuned = get_peft_model(model, LoraConfig(r=16, lora_alpha=32, target_modules=LAYERS))
    for key, weight in tuned.named_parameters():
        if "lora_B" in key:
            torch.nn.init.normal_(weight, std=0.02)
    tuned.save_pretrained(folder / "adapter")
    base = servers.add_base(name, folder)
    adapter = servers.add_adapter(f"{name}, tuned", folder / "adapter", base)
    return Case({"base_model_id": base}, {"adapter_id": adapter}, size)


if __name__ == "__main__":
    main(sys.argv[1:])
