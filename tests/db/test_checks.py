import pytest

from db.checks import quality
from db.content import Content


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (Content("Summarise the following note.", output="A summary.", task="x"), "input"),
        (
            Content("Say what you think of it.", output="As an AI language model, I cannot.", task="x"),
            "output",
        ),
        (Content("Explain <|im_start|> to me.", output="A marker.", task="x"), "instruction"),
        (Content("Explain what asthma is.", task="x"), "output"),
    ],
)
def test_faults_are_named_with_their_field(content, field):
    assert any(line.startswith(f"{field}:") for line in quality.advise(content))


def test_a_sound_text_gets_no_advice():
    assert quality.advise(Content("Explain what asthma is.", output="Narrowed airways.", task="qa")) == []
