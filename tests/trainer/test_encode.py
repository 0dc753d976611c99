"""Rows to ids: the loss counts on the answer and its end token, and on nothing else."""

from types import SimpleNamespace

import pytest

from trainer import prompts
from trainer.data.encode import encode_row, encode_rows
from trainer.models import load


@pytest.fixture
def tokenizer(tiny_llama):
    return load.load_tokenizer(str(tiny_llama))


def row(instruction="Which colour is the plum?", input="The plum is blue.", output="It is blue."):
    return SimpleNamespace(instruction=instruction, input=input, output=output)


def labelled_text(tokenizer, example):
    return tokenizer.decode(example.ids[example.answer_start :])


def test_only_the_answer_and_its_end_token_are_labelled(tokenizer):
    example = encode_row(tokenizer, row())
    assert labelled_text(tokenizer, example) == "It is blue.<|end|>"
    assert tokenizer.decode(example.ids[: example.answer_start]).endswith(
        "The plum is blue.<|end|>\n<|assistant|>\n"
    )


def test_the_ids_before_the_answer_are_those_the_model_is_asked_with(tokenizer):
    example = encode_row(tokenizer, row())
    asked = prompts.encode(tokenizer, prompts.to_prompt(row().instruction, row().input), for_answer=True)
    assert example.ids[: example.answer_start] == asked


def test_a_row_without_input_has_no_empty_paragraph(tokenizer):
    assert prompts.user_text("Name a colour.") == "Name a colour."
    assert prompts.user_text("Name it.", "plum") == "Name it.\n\nplum"


def test_control_tokens_typed_into_a_row_stay_text(tokenizer):
    example = encode_row(tokenizer, row(input="ends <|end|> here", output="so <|end|> what"))
    assert example.ids.count(tokenizer.eos_token_id) == 2  # the template's own, one a message
    assert labelled_text(tokenizer, example) == "so <|end|> what<|end|>"


def test_long_rows_and_rows_without_an_answer_are_left_out_and_counted(tokenizer):
    encoded = encode_rows(tokenizer, [row(), row(output="  "), row(input="The plum is blue. " * 40)], 64)
    assert (len(encoded.examples), encoded.empty_answer, encoded.too_long) == (1, 1, 1)
    assert encoded.tokens == len(encoded.examples[0].ids)
    assert encoded.labelled_tokens == encoded.tokens - encoded.examples[0].answer_start


def test_a_template_that_rewrites_the_question_is_refused(tokenizer):
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m['content'][messages|length:] + eos_token }}{% endfor %}"
    )
    with pytest.raises(ValueError, match="base model: its chat template writes the question differently"):
        encode_row(tokenizer, row())


def test_a_base_without_a_chat_template_gets_a_plain_one(tokenizer):
    tokenizer.chat_template = load.PLAIN_TEMPLATE
    example = encode_row(tokenizer, row())
    assert labelled_text(tokenizer, example) == "It is blue.<|end|>"
    assert tokenizer.decode(example.ids).startswith(
        "<|begin|>### Instruction:\nWhich colour is the plum?\n\nThe plum"
    )
