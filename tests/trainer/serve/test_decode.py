"""The decoding loop and its parts, on a tiny real model without a server around it."""

import random
from itertools import chain

import pytest
import torch
from peft import LoraConfig, PeftModel
from peft.tuners.lora.awq import AwqLoraLinear
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig

from tests.trainer.serve.conftest import make_adapter
from trainer.serve import rows
from trainer.serve.decode import Alternating, Together, decode, next_logits
from trainer.serve.detokenize import Detokenizer
from trainer.serve.sampling import Dice

PROMPT = [0, 3, 40, 41, 42, 43, 1, 4]


@pytest.fixture(scope="module")
def tokenizer(tiny_llama):
    return AutoTokenizer.from_pretrained(tiny_llama)


@pytest.fixture(scope="module")
def tuned(tiny_llama, tmp_path_factory):
    """The tiny model with two adapters: "tuned", and "idle", which has no effect."""
    room = tmp_path_factory.mktemp("adapters")
    base = AutoModelForCausalLM.from_pretrained(tiny_llama)
    model = PeftModel.from_pretrained(
        base, make_adapter(tiny_llama, room / "tuned", seed=1), adapter_name="tuned"
    )
    model.load_adapter(make_adapter(tiny_llama, room / "idle", seed=2, size=0), adapter_name="idle")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the server does for a model so small
    yield model.eval()
    torch.set_num_threads(threads)


def tokens(
    model,
    names,
    *,
    temperature=0.0,
    seed=0,
    end_ids=(),
    is_stopped=lambda row: False,
    limit=20,
    turns=False,
    cores=1,
    prompt=PROMPT,
):
    """Token ids a row, and each row's finish reason; in one batch, or with `turns` a pass each."""
    said, reasons = [[] for _ in names], [None] * len(names)
    base = model.get_base_model()
    with rows.in_turn(model) if turns else rows.assigned(model, names) as way:
        forward = (
            Alternating(base, [prompt] * len(names), lambda row: way(names[row]))
            if turns
            else Together(base, prompt, len(names), only=way, cores=cores)
        )
        steps = decode(
            forward,
            len(names),
            Dice(temperature, seed),
            max_tokens=limit,
            end_ids=end_ids,
            is_stopped=is_stopped,
        )
        for row, token, reason in chain.from_iterable(steps):
            said[row] += [] if token is None else [token]
            reasons[row] = reasons[row] or reason
    return said, reasons


@pytest.mark.parametrize("temperature", [0, 0.9])
def test_rows_of_a_pair_are_the_separate_runs_token_for_token(tuned, temperature):
    for seed in range(3 if temperature else 1):
        pair, _ = tokens(tuned, ["__base__", "tuned"], temperature=temperature, seed=seed)
        for row, name in enumerate(["__base__", "tuned"]):
            alone, _ = tokens(tuned, [name], temperature=temperature, seed=seed)
            assert pair[row] == alone[0]
        names = ["tuned", "__base__", "idle"]
        in_turn, _ = tokens(tuned, names, temperature=temperature, seed=seed, turns=True)
        assert in_turn == [pair[1], pair[0], pair[0]]


def test_rows_that_read_the_prompt_on_cores_of_their_own_say_the_same(tuned):
    names = ["tuned", "__base__", "idle", "tuned"]
    long = PROMPT * 30
    assert tokens(tuned, names, cores=2, prompt=long) == tokens(tuned, names, prompt=long)


def test_an_exception_on_another_core_is_the_runs_own_and_leaves_no_hook(tuned):
    before, _ = tokens(tuned, ["tuned", "__base__"])
    broken = tuned.get_base_model().model.layers[1].register_forward_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tokens(tuned, ["tuned", "__base__"], cores=2, prompt=PROMPT * 30)
    broken.remove()
    assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in rows.lora_layers(tuned))
    assert tokens(tuned, ["tuned", "__base__"])[0] == before


def test_greedy_rows_are_what_generate_says(tuned):
    (base, adapted), _ = tokens(tuned, ["__base__", "tuned"])
    prompt = torch.tensor([PROMPT])
    plan = {"max_new_tokens": 20, "do_sample": False, "eos_token_id": None, "pad_token_id": 2}
    tuned.set_adapter("tuned")
    assert tuned.generate(input_ids=prompt, **plan)[0, len(PROMPT) :].tolist() == adapted
    with tuned.disable_adapter():
        assert tuned.generate(input_ids=prompt, **plan)[0, len(PROMPT) :].tolist() == base


def test_equal_weights_throw_the_same_dice(tuned):
    answers = []
    for seed in range(3):
        (base, idle), _ = tokens(tuned, ["__base__", "idle"], temperature=1.0, seed=seed)
        assert base == idle
        answers.append(base)
    assert answers[0] != answers[1] != answers[2]


def test_the_dice_follow_the_softmax():
    logits = torch.tensor([[0.0, 1.0, 2.0, -1.0]])
    dice = Dice(0.7, seed=0)
    drawn = torch.stack([dice.pick(logits)[0] for _ in range(20_000)])
    shares = torch.bincount(drawn, minlength=4) / len(drawn)
    assert torch.allclose(shares, (logits[0] / 0.7).softmax(0), atol=0.015)


@pytest.mark.parametrize("turns", [False, True])
def test_an_end_token_ends_its_row_alone(tuned, turns):
    (base, adapted), _ = tokens(tuned, ["__base__", "tuned"])
    end = next(token for token in base if token not in adapted)
    (short, whole), reasons = tokens(tuned, ["__base__", "tuned"], end_ids={end}, turns=turns)
    assert reasons == ["stop", "length"]
    assert short == base[: base.index(end)]
    assert whole == adapted


def test_no_hook_is_left_even_when_a_run_breaks(tuned):
    def break_off(row):
        raise RuntimeError("the page went up in smoke")

    before, _ = tokens(tuned, ["tuned", "__base__"])
    for turns in (False, True):
        with pytest.raises(RuntimeError):
            tokens(tuned, ["__base__", "tuned"], is_stopped=break_off, turns=turns)
        assert not any(layer._forward_pre_hooks for layer in rows.lora_layers(tuned))
        assert tokens(tuned, ["tuned", "__base__"])[0] == before


def test_hooks_peft_left_behind_do_not_turn_a_tuned_row_into_the_base(tuned):
    right, _ = tokens(tuned, ["tuned"])
    with pytest.raises(IndexError):  # peft #3475: an exception inside generate leaves its hooks
        tuned.generate(input_ids=torch.tensor([[10**6]] * 2), adapter_names=["__base__", "tuned"])
    assert any(layer._forward_pre_hooks for layer in rows.lora_layers(tuned))
    assert tokens(tuned, ["tuned"])[0] == right


def test_adapters_somebody_left_switched_off_do_not_turn_a_tuned_row_into_the_base(tuned):
    right, _ = tokens(tuned, ["tuned"])
    for turns in (False, True):
        for layer in rows.lora_layers(tuned):
            layer.enable_adapters(False)  # as an exception inside disable_adapter leaves them
        assert tokens(tuned, ["tuned"], turns=turns)[0] == right


@pytest.mark.parametrize(
    ("packed", "mixes"), [("gptq", False), ("awq", False), ("bitsandbytes", True), (None, True)]
)
def test_rows_share_a_batch_only_on_bases_whose_layers_take_row_names(packed, mixes):
    config = LlamaConfig(**({"quantization_config": {"quant_method": packed}} if packed else {}))
    assert rows.base_mixes(config) is mixes


def test_layers_that_take_no_row_names_are_switched_in_turn(tiny_llama):
    """As peft wraps those of a base held as AWQ; its real layer, around an unpacked one."""
    base = AutoModelForCausalLM.from_pretrained(tiny_llama).eval()
    batch = torch.tensor([PROMPT])
    plain, _ = next_logits(base, batch, None)
    mlp = base.model.layers[0].mlp
    mlp.down_proj = AwqLoraLinear(
        mlp.down_proj, "tuned", LoraConfig(r=4, lora_dropout=0.0, init_lora_weights=False), r=4
    )
    said = {}
    with rows.in_turn(base) as switch:
        for name in ("tuned", "__base__"):
            switch(name)
            said[name], _ = next_logits(base, batch, None)
    assert torch.equal(said["__base__"], plain)
    assert not torch.equal(said["tuned"], plain)
    with pytest.raises(TypeError), rows.assigned(base, ["tuned"]):
        next_logits(base, batch, None)


TEXTS = [
    "The plum is green.",
    "  two spaces, then\n\na line",
    "β-Catenin ≥ 5 µg — naïve",
    "梨子是绿色的 🍐👩🏽‍⚕️ e\u0301",
]


@pytest.mark.parametrize("text", TEXTS)
def test_pieces_join_to_the_text_and_no_piece_is_broken(tokenizer, text):
    detokenizer = Detokenizer(tokenizer)
    pieces = [detokenizer.add(token) for token in tokenizer.encode(text, add_special_tokens=False)]
    assert "".join(pieces) == text
    assert not any("\ufffd" in piece for piece in pieces)
    assert detokenizer.flush() == ""


def test_even_nonsense_joins_to_what_all_ids_decode_to(tokenizer):
    draw = random.Random(0)
    for _ in range(50):
        ids = [draw.randrange(5, len(tokenizer)) for _ in range(40)]
        detokenizer = Detokenizer(tokenizer)
        pieces = [detokenizer.add(token) for token in ids]
        assert "".join([*pieces, detokenizer.flush()]) == tokenizer.decode(ids)
