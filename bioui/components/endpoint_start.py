"""What stands where there is no endpoint yet: the studio's own in one press, and what else there can be.

Event of the View: `choose` (`event.way`: own, transformers, vllm or service). Being always on the page, it
also keeps the address bar at the open endpoint.
"""

from dataclasses import dataclass
from pathlib import Path

from bioui.components.view import View

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
ON_LOAD = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-way]');
  if (button) trigger('choose', {way: button.dataset.way});
});
watch('value', () => studio.setParam('id', props.value.open_id || null));
"""
NOT_SHOWN = {"shown": False, "ways": [], "note": "", "open_id": 0}
OWN_WAY = "own"


@dataclass(frozen=True)
class Way:
    """One kind of server, and what the form begins with for it."""

    title: str
    sentence: str
    button: str
    command: str = ""
    base_url: str = ""
    key_variable: str = ""


WAYS = {
    OWN_WAY: Way(
        "This studio's model server",
        "Base models and adapters of the Models page. Free, and nothing leaves the machine. The starter "
        "model is a miniature: it shows that the machinery works, and writes nothing worth keeping.",
        "Use it",
    ),
    "transformers": Way(
        "transformers serve",
        "A model of the Hub or of a folder, on this machine or a neighbour, one request at a time.",
        "Set up",
        command="transformers serve --port 8000",
        base_url="http://127.0.0.1:8000/v1",
    ),
    "vllm": Way(
        "vLLM",
        "The same on a GPU for many requests at once; adapters are served beside their base by name.",
        "Set up",
        command="vllm serve MODEL --port 8000",
        base_url="http://127.0.0.1:8000/v1",
    ),
    "service": Way(
        "A service on the network",
        "Any server that speaks the OpenAI protocol, such as OpenAI's own. What a run sends leaves the "
        "machine for it. The key stays in an environment variable.",
        "Set up",
        base_url="https://api.openai.com/v1",
        key_variable="OPENAI_API_KEY",
    ),
}


def endpoint_start() -> View:
    return View(TEMPLATE, NOT_SHOWN, on_load=ON_LOAD, elem_classes="endpoint-start")


def start_value(*, may_change: bool) -> dict:
    """For who may not add one, the same without its buttons."""
    ways = [
        {
            "way": name,
            "title": way.title,
            "sentence": way.sentence,
            "command": way.command,
            "button": way.button if may_change else "",
            "kind": "primary-btn" if name == OWN_WAY else "secondary-btn",
        }
        for name, way in WAYS.items()
    ]
    note = "" if may_change else "Someone with the role reviewer, trainer or admin can add one."
    return {**NOT_SHOWN, "shown": True, "ways": ways, "note": note}
