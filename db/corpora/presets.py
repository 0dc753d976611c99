"""The instruction sets of Llama2-MedTuned, as choices that a curator starts from (Rohanian et al., Artif
Intell Med 2024;158:103007).

Row counts, tasks, output formats and numbers of wordings are the paper's; the wordings are ours. Nothing is
shipped or fetched: every file is brought by who may have it. GAD belongs to the first release only, and its
label 1 means association, as in the corpus.
"""

from dataclasses import dataclass

ROWS, VALIDATION_ROWS = 200_252, 70_066
GAD = "gad"
_READ = "Read the terms of your copy before you share what is made of it."
_I2B2 = "Under a data-use agreement (n2c2, Harvard). Bring your own file; rows made of it stay here."
_MEDNLI = "Credentialed, from PhysioNet. Bring your own file; rows made of it stay here."


@dataclass(frozen=True)
class Preset:
    """One instruction set: what it holds, what reads its file, and what template the paper's format needs."""

    name: str
    title: str
    rows: int  # of the training split, as the paper has them
    task: str  # NER, RE, NLI, CLS or QA: the paper's groups
    format: str  # a name of db.corpora.readers
    base: str  # the shipped template that it takes its wordings from
    form: str  # the paper's output form
    wordings: int  # how many the paper drew from
    licence: str
    options: tuple[tuple[str, str], ...] = ()  # for the reader
    is_credentialed: bool = False  # bring your own file, and keep it
    in_release: str = "all"  # or first: only the first release has it

    @property
    def template(self) -> str:
        """The name of its template among the studio's: the base's wordings in the paper's format."""
        return f"medtuned-{self.name}"


PRESETS = (
    Preset(
        "ncbi-disease",
        "NCBI-disease",
        5_424,
        "NER",
        "iob",
        "ner-disease",
        "token_tags",
        5,
        f"Public, CC BY 4.0 in the usual copy. {_READ}",
        (("type", "Disease"),),
    ),
    Preset(
        "bc5cdr-disease",
        "BC5CDR, diseases",
        4_560,
        "NER",
        "iob",
        "ner-disease",
        "token_tags",
        5,
        f"Public. {_READ}",
        (("type", "Disease"),),
    ),
    Preset(
        "bc5cdr-chem",
        "BC5CDR, chemicals",
        4_560,
        "NER",
        "iob",
        "ner-chemical",
        "token_tags",
        5,
        f"Public. {_READ}",
        (("type", "Chemical"),),
    ),
    Preset(
        "bc2gm",
        "BC2GM, genes",
        12_574,
        "NER",
        "iob",
        "ner-gene",
        "token_tags",
        5,
        f"Public. {_READ}",
        (("type", "Gene"),),
    ),
    Preset(
        "jnlpba",
        "JNLPBA",
        14_690,
        "NER",
        "iob",
        "ner-molecular-plain",
        "token_tags",
        5,
        f"Public. {_READ}",
        (("type", "entity"),),
    ),
    Preset(
        "i2b2-2012",
        "i2b2 2012, clinical events",
        6_755,
        "NER",
        "iob",
        "ner-clinical-event",
        "token_tags",
        5,
        _I2B2,
        (("type", "event"),),
        is_credentialed=True,
    ),
    Preset(
        "i2b2-2010",
        "i2b2 2010, relations",
        22_256,
        "RE",
        "masked_pair",
        "re-clinical",
        "relation_code",
        3,
        _I2B2,
        is_credentialed=True,
    ),
    Preset(
        GAD,
        "GAD, genes and diseases",
        4_796,
        "RE",
        "masked_pair",
        "re-gene-disease",
        "relation_code",
        5,
        f"Public, CC BY 4.0 in the usual copy. {_READ}",
        (("types", "GENE,DISEASE"),),
        in_release="first",
    ),
    Preset(
        "mednli",
        "MedNLI",
        11_232,
        "NLI",
        "pairs",
        "nli-clinical",
        "nli_word",
        5,
        _MEDNLI,
        is_credentialed=True,
    ),
    Preset(
        "hoc",
        "Hallmarks of Cancer",
        12_119,
        "CLS",
        "labels",
        "hallmarks-of-cancer",
        "label_list",
        5,
        f"Public. {_READ}",
    ),
    Preset(
        "chatdoctor",
        "ChatDoctor, patients' questions",
        56_082,
        "QA",
        "instruction_output",
        "patient-question",
        "free_answer",
        10,
        f"Public; real consultations, so look for what tells who a person is. {_READ}",
    ),
    Preset(
        "pmc-llama",
        "PMC-LLaMA, medical questions",
        50_000,
        "QA",
        "instruction_output",
        "biomedical-question",
        "free_answer",
        5,
        f"Public, drawn from a larger set and in part made by a model. {_READ}",
    ),
)


def composition(*, first_release: bool = False) -> tuple[Preset, ...]:
    """The sets of the paper, 200,252 rows; with `first_release` GAD's 4,796 as well."""
    return tuple(preset for preset in PRESETS if first_release or preset.in_release == "all")


def get(name: str) -> Preset:
    """The preset of this name. Raises LookupError."""
    for preset in PRESETS:
        if preset.name == name:
            return preset
    raise LookupError(f"preset: '{name[:80]}' is not one of {', '.join(p.name for p in PRESETS)}.")


@dataclass(frozen=True)
class Missing:
    """How far a set is from the paper's: what it needs, and what is there."""

    preset: Preset
    present: int

    @property
    def rows(self) -> int:
        """Rows still wanted; 0 where there are enough."""
        return max(0, self.preset.rows - self.present)


def missing(present: dict[str, int], *, first_release: bool = False) -> list[Missing]:
    """The sets of the composition that have fewer rows than the paper's, by the rows present of each name."""
    wanted = composition(first_release=first_release)
    found = [Missing(preset, present.get(preset.name, 0)) for preset in wanted]
    return [each for each in found if each.rows]
