"""The server to OpenAI's own package, blocking and not: what it lists, says, streams and refuses."""

import asyncio

import openai
import pytest

from tests.plain_answers import Alone
from tests.trainer.serve.conftest import MESSAGES, TOKEN

TOKENS = 12
ASKED = {"messages": MESSAGES, "max_tokens": TOKENS, "temperature": 0}


@pytest.fixture
def client(served):
    with openai.OpenAI(base_url=f"{served.address}/v1", api_key=TOKEN, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def alone(shelf) -> dict[str, str]:
    """What each model says by transformers and peft as they come."""
    second = shelf.first_folder.parent / "adapter-2"
    folders = {"tiny": None, "first": shelf.first_folder, "second": second}
    return {name: Alone(shelf.base, folder).answer(MESSAGES, TOKENS) for name, folder in folders.items()}


def test_every_listed_model_is_found_by_its_name_and_answers(client):
    listed = client.models.list().data
    assert {"tiny", "short", "first", "second", "on short", "dora"} == {model.id for model in listed}
    for model in listed:
        assert client.models.retrieve(model.id) == model
        answer = client.chat.completions.create(model=model.id, **{**ASKED, "max_tokens": 1})
        assert (answer.model, answer.object) == (model.id, "chat.completion")


@pytest.mark.parametrize("model", ["tiny", "first", "second"])
def test_whole_and_streamed_it_is_what_the_model_says_alone(client, alone, model):
    whole = client.chat.completions.create(model=model, **ASKED)
    assert whole.choices[0].message.content == alone[model]
    chunks = list(client.chat.completions.create(model=model, stream=True, **ASKED))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == alone[model]
    assert [chunk.choices[0].finish_reason for chunk in chunks][-1] == "length"
    assert {chunk.id for chunk in chunks} == {chunks[0].id}


def test_a_client_that_does_not_block_asks_base_and_adapters_in_parallel(served, alone):
    """As the playground asks an endpoint for both names."""

    async def ask_all() -> list[tuple[str, str]]:
        async with openai.AsyncOpenAI(
            base_url=f"{served.address}/v1", api_key=TOKEN, max_retries=0
        ) as client:
            return await asyncio.gather(*(streamed(client, model) for model in [*alone] * 4))

    async def streamed(client, model: str) -> tuple[str, str]:
        said = ""
        async for chunk in await client.chat.completions.create(model=model, stream=True, **ASKED):
            said += chunk.choices[0].delta.content or ""
        return model, said

    for model, said in asyncio.run(ask_all()):
        assert said == alone[model], model


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("wrong", "error", "param"),
    [
        ({"model": "gpt-17"}, openai.NotFoundError, "model"),
        ({"messages": []}, openai.BadRequestError, "messages"),
        ({"messages": [{"role": "oracle", "content": "?"}]}, openai.BadRequestError, "messages"),
        ({"messages": [{"role": "user", "content": "apple " * 9000}]}, openai.BadRequestError, "prompt"),
        ({"max_tokens": 0}, openai.BadRequestError, "max_tokens"),
        ({"temperature": 3}, openai.BadRequestError, "temperature"),
        ({"logit_bias": {"5": 1}}, openai.BadRequestError, "logit_bias"),
    ],
)
def test_an_error_is_the_clients_own_class_with_the_field_and_one_sentence(
    client, stream, wrong, error, param
):
    with pytest.raises(error) as caught:
        client.chat.completions.create(**{"model": "first", "stream": stream, **ASKED, **wrong})
    told = caught.value.body
    assert set(told) == {"message", "type", "param", "code"}
    assert (caught.value.param, told["type"]) == (param, "invalid_request_error")
    assert told["message"].endswith(".")
    assert "Traceback" not in told["message"]


@pytest.mark.parametrize("key", ["guessed", TOKEN.upper(), f"{TOKEN} and more"])
def test_without_the_token_nothing_is_told(served, key):
    with openai.OpenAI(base_url=f"{served.address}/v1", api_key=key, max_retries=0) as stranger:
        for ask in (
            stranger.models.list,
            lambda: stranger.models.retrieve("tiny"),
            lambda: stranger.chat.completions.create(model="tiny", **ASKED),
        ):
            with pytest.raises(openai.AuthenticationError) as caught:
                ask()
            assert set(caught.value.body) == {"message", "type", "param", "code"}
            assert "tiny" not in caught.value.message


def test_what_the_package_does_not_find_here_is_a_not_found_error(client):
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="tiny", input="apple")
