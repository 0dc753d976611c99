"""Writes and reads back what is told of the starter base: the model card and the figures of its training."""

import json
from pathlib import Path

FIGURES = "training_figures.json"

CARD = """---
license: mit
language: en
tags: [miniature, not-for-clinical-use]
---
# BioInstruct starter

A miniature Llama-architecture language model ({parameters:.1f} million parameters) with its own tokenizer.
It ships with BioInstruct Studio so that the first run, the demo and the tests work without a network.

**It is not a medical model and must never be used for clinical decisions.** It has read a few million words,
knows a small table of names, and copies from short passages. Without tuning it only continues text.

## Training
- Text written by code from a table of textbook facts (drugs, genes, conditions, plain words), with invented
  names mixed in. The table is in `trainer/starter/table/`, the writers in `trainer/starter/`.
- MedQuAD, question-answer pairs from NIH websites, licence CC BY 4.0: A. Ben Abacha and D. Demner-Fushman,
  "A Question-Entailment Approach to Question Answering", BMC Bioinformatics 20:511 (2019).
- {tokens:.1f} million tokens in {steps} steps, {minutes} minutes on {hardware}; last training loss {loss}.
- The chat template and the demo set were not part of it.

Built by `python -m trainer.starter.build`. The studio's licence covers the weights; MedQuAD asks for the
credit above.
"""


def write_card(folder: Path, figures: dict) -> None:
    slots = figures | {"parameters": figures["parameters"] / 1e6, "tokens": figures["tokens"] / 1e6}
    (folder / "README.md").write_text(CARD.format(**slots), encoding="utf-8")
    (folder / FIGURES).write_text(json.dumps(figures) + "\n", encoding="utf-8")


def read_figures(folder: Path) -> dict:
    return json.loads((folder / FIGURES).read_text(encoding="utf-8"))
