"""What a model says when it is asked alone, by transformers and peft as they come: the reference that answers
of the model server are held against. Nothing of the server's is in here."""

from collections.abc import Sequence
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer


class Alone:
    """One base, with one adapter around it or none, in float32 on the CPU. One prompt at a time, greedy."""

    def __init__(self, base: Path | str, adapter: Path | str | None = None) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(base)
        model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        self._model = (model if adapter is None else PeftModel.from_pretrained(model, adapter)).eval()

    @torch.inference_mode()
    def answer(self, messages: Sequence[dict[str, str]], max_tokens: int) -> str:
        """The text, at most `max_tokens` tokens of it, special tokens left out."""
        asked = self._tokenizer.apply_chat_template(
            list(messages), add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        length = asked["input_ids"].shape[1]
        said = self._model.generate(
            input_ids=asked["input_ids"],
            attention_mask=torch.ones_like(asked["input_ids"]),
            max_new_tokens=max_tokens,
            do_sample=False,
            pad_token_id=self._tokenizer.pad_token_id,
        )[0, length:]
        return self._tokenizer.decode(said, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def answer_all(base: str, adapter: str | None, texts: Sequence[str], max_tokens: int) -> list[str]:
    """The answer to each text as a first message, on one thread: several processes share the cores."""
    torch.set_num_threads(1)
    model = Alone(base, adapter)
    return [model.answer([{"role": "user", "content": text}], max_tokens) for text in texts]
