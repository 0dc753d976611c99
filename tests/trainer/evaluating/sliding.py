"""A tiny random model that looks back only so far, as Mistral's first and Gemma do."""

from pathlib import Path

import torch
from transformers import LlamaConfig, MistralConfig, MistralForCausalLM


def with_sliding_window(tiny_llama: Path, window: int) -> MistralForCausalLM:
    """With the vocabulary of the tiny Llama."""
    config = LlamaConfig.from_pretrained(tiny_llama).to_dict()
    shared = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "initializer_range")
    torch.manual_seed(0)
    return MistralForCausalLM(
        MistralConfig(
            **{name: config[name] for name in shared},
            num_attention_heads=4,
            num_key_value_heads=2,
            sliding_window=window,
            bos_token_id=config["bos_token_id"],
            eos_token_id=config["eos_token_id"],
            pad_token_id=config["pad_token_id"],
        )
    ).eval()
