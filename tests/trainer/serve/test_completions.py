"""The OpenAI side of the server, asked with OpenAI's own client."""

import openai
import pytest

from tests.trainer.serve.conftest import MESSAGES, TOKEN

GREEDY = {"messages": MESSAGES, "max_tokens": 20, "temperature": 0}


@pytest.fixture
def client(served):
    with openai.OpenAI(base_url=f"{served.address}/v1", api_key=TOKEN, max_retries=0) as client:
        yield client


def test_bases_and_adapters_are_listed_by_name(client):
    assert [model.id for model in client.models.list()] == [
        "tiny",
        "short",
        "on short",
        "dora",
        "second",
        "first",
    ]


@pytest.mark.parametrize("model", ["tiny", "first"])
def test_a_streamed_completion_is_the_whole_one_in_pieces(client, model):
    whole = client.chat.completions.create(model=model, **GREEDY)
    chunks = list(
        client.chat.completions.create(
            model=model, stream=True, stream_options={"include_usage": True}, **GREEDY
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert whole.choices[0].finish_reason == chunks[-2].choices[0].finish_reason == "length"
    assert chunks[-1].usage == whole.usage
    assert whole.usage.completion_tokens == 20
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + 20
    assert whole.model == model
    assert whole.provenance["batch"]["rows"] == 1


def test_base_and_adapter_differ(client):
    base, tuned = (client.chat.completions.create(model=name, **GREEDY) for name in ("tiny", "first"))
    assert base.choices[0].message.content != tuned.choices[0].message.content


def test_a_seed_left_out_is_drawn_and_told(client):
    asked = {"model": "first", "messages": MESSAGES, "max_tokens": 12, "temperature": 1}
    drawn = client.chat.completions.create(**asked)
    again = client.chat.completions.create(seed=drawn.provenance["sampling"]["seed"], **asked)
    assert again.choices[0].message.content == drawn.choices[0].message.content


def test_without_a_limit_the_answer_may_fill_the_context(client):
    answer = client.chat.completions.create(model="short", messages=MESSAGES, temperature=0)
    assert answer.usage.total_tokens <= 256
    assert answer.choices[0].finish_reason in ("stop", "length")


def test_text_parts_are_read_as_one_text(client):
    parts = [{"type": "text", "text": part} for part in MESSAGES[0]["content"].partition("\n")]
    split = [{"role": "user", "content": parts}]
    one, other = (
        client.chat.completions.create(model="first", **{**GREEDY, "messages": messages})
        for messages in (MESSAGES, split)
    )
    assert one.choices[0].message.content == other.choices[0].message.content


def test_an_unknown_model_is_a_not_found_error(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-17", **GREEDY)
    assert caught.value.param == "model"
    assert "gpt-17" in caught.value.message


def test_a_wrong_key_is_an_authentication_error(served):
    stranger = openai.OpenAI(base_url=f"{served.address}/v1", api_key="guessed", max_retries=0)
    with stranger, pytest.raises(openai.AuthenticationError):
        stranger.models.list()


@pytest.mark.parametrize("unknown", [{"n": 2}, {"top_p": 0.5}, {"stop": ["x"]}, {"logprobs": True}])
def test_a_setting_the_server_would_have_to_ignore_is_refused(client, unknown):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="first", **GREEDY, **unknown)
    assert caught.value.param == next(iter(unknown))


def test_leaving_a_stream_ends_the_answer(client, served):
    stream = client.chat.completions.create(
        model="tiny", messages=MESSAGES, max_tokens=4096, temperature=0, stream=True
    )
    next(iter(stream))
    stream.close()
    served.wait_until_quiet()
