"""Studies that answer a known question: both papers' at full scale, and miniatures for two CPU cores.

What a paper does not state is filled in and said so: `about` never lends our numbers to its authors.
"""

from dataclasses import dataclass, field
from typing import Any

from db import train_presets
from db.enums import StudyKind

BIOINSTRUCT_SHARES = {"IE": 33.8, "GEN": 33.5, "QA": 22.8}  # per cent of its instructions; other is 10.0


@dataclass(frozen=True)
class StudyPreset:
    """A name for the form, what to know before choosing it, and the settings of StudySpec it fills in."""

    name: str
    group: str
    about: str
    settings: dict[str, Any] = field(default_factory=dict)


MINIATURE_TRAINING = {
    "rank": 16,
    "alpha": 32,
    "dropout": 0.0,
    "learning_rate": 3e-3,
    "batch_size": 8,
    "epochs": 1000.0,  # the steps decide
    "max_steps": 160,
    "max_length": 256,
    "warmup": 0.05,
}
MINIATURE_EVALUATION = {
    "max_tokens": 72,  # the longest right answer has 67
    "precision": "fp32",  # the same on every machine
    "look_for_leaks": False,
}

PRESETS = (
    StudyPreset(
        "BioInstruct: category transfer",
        "Papers",
        "Tune on QA, IE and GEN alone, in pairs and together at one budget, and measure each group. An arm "
        "of several shares its rows as the paper's 25,005 instructions do (IE 33.8, GEN 33.5, QA 22.8). "
        "The paper tunes LLaMA 1 and 2, 7B and 13B; its budget and LoRA settings are not stated: ours.",
        {
            "kind": StudyKind.CATEGORY_TRANSFER,
            "weights": BIOINSTRUCT_SHARES,
            "training": train_presets.find("BioInstruct, 7B").settings,
        },
    ),
    StudyPreset(
        "Llama2-MedTuned: composition",
        "Papers",
        "Leave each source out in turn, the others in the shares the data has. The paper tells of such a "
        "study and not its design, and it tunes every weight; here each arm is an adapter on all linear "
        "layers, so that twelve arms fit on a disk: ours.",
        {
            "kind": StudyKind.COMPOSITION,
            "varies": "leave one out",
            "parts": "source",
            "mixture": "natural",
            "training": train_presets.find("7B to 9B, 80 GB card").settings,
            "evaluation": {"max_tokens": 512},
        },
    ),
    StudyPreset(
        "BioInstruct, miniature",
        "This machine",
        "The same seven arms on the starter model and its demo set, in minutes on two CPU cores. It shows "
        "that the study works, not what a real base gains.",
        {
            "kind": StudyKind.CATEGORY_TRANSFER,
            "rows": 640,
            "training": MINIATURE_TRAINING,
            "evaluation": MINIATURE_EVALUATION,
        },
    ),
    StudyPreset(
        "Llama2-MedTuned, miniature",
        "This machine",
        "Entities, relations, inference and questions of the demo set: all four, and each left out in turn, "
        "on the starter model in minutes. It shows that the study works, not what a real base gains.",
        {
            "kind": StudyKind.COMPOSITION,
            "varies": "leave one out",
            "parts": "task",
            "among": (
                "named_entity_recognition",
                "relation_extraction",
                "natural_language_inference",
                "multiple_choice",
            ),
            "rows": 480,
            "training": {**MINIATURE_TRAINING, "max_steps": 120},
            "evaluation": MINIATURE_EVALUATION,
        },
    ),
    StudyPreset(
        "Data scale: 10, 30, 100 %",
        "Settings",
        "The same rows, fewer and fewer of them, each as often seen: what more data would still bring.",
        {"kind": StudyKind.DATA_SCALE, "shares": (0.1, 0.3, 1.0)},
    ),
    StudyPreset(
        "Rank: 4 to 32",
        "Settings",
        "The same rows at four ranks, alpha in step with the rank.",
        {"kind": StudyKind.RANK, "ranks": (4, 8, 16, 32)},
    ),
    StudyPreset(
        "Experts against one for all",
        "Settings",
        "An adapter a category, one adapter on all of their rows, and the experts merged by peft.",
        {"kind": StudyKind.EXPERTS, "parts": "category", "merge": "linear"},
    ),
)


def find(name: str) -> StudyPreset:
    """The preset of that name. Raises LookupError."""
    for preset in PRESETS:
        if preset.name == name:
            return preset
    raise LookupError(f"preset: there is none named {name}; there is {', '.join(p.name for p in PRESETS)}.")
