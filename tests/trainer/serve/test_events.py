"""The event stream's own form."""

import json

from trainer.serve import events


def test_an_event_is_one_line_whatever_the_model_says():
    said = "first\u2028second\u2029third\x85fourth\x0bfifth\r\n\ud55c"
    written = events.line({"text": said})
    assert len(written.splitlines()) == 2
    assert json.loads(written.removeprefix("data: ")) == {"text": said}


def test_a_bare_word_passes_for_itself():
    assert events.line("[DONE]") == "data: [DONE]\n\n"
