"""What a job is asked to do: one frozen dataclass a job kind, stored as JSON on the job.

A sentence of help stands in each field's metadata, so that the form and the shell say the same thing.
"""

from dataclasses import asdict, fields

from db.compare_spec import CompareSpec
from db.convert_spec import ConvertSpec
from db.encoder_spec import EncoderSpec
from db.enums import JobKind
from db.evaluate_spec import EvaluateSpec
from db.export_spec import ExportSpec
from db.generate_spec import GenerateSpec
from db.judge_spec import JudgeSpec
from db.study_spec import StudySpec
from db.train_spec import TrainSpec

# A data report is asked with the settings of the run it foretells.
SPECS = {
    JobKind.TRAIN: TrainSpec,
    JobKind.DATA_REPORT: TrainSpec,
    JobKind.GENERATE: GenerateSpec,
    JobKind.CONVERT: ConvertSpec,
    JobKind.EXPORT: ExportSpec,
    JobKind.EVALUATE: EvaluateSpec,
    JobKind.TRAIN_ENCODER: EncoderSpec,
    JobKind.JUDGE: JudgeSpec,
    JobKind.STUDY: StudySpec,
    JobKind.COMPARE: CompareSpec,
}


def to_json(spec) -> dict:
    return asdict(spec)


def from_json(kind: JobKind, stored: dict):
    """The spec of a stored job; unknown keys raise ValueError."""
    spec = SPECS[kind]
    unknown = set(stored) - {option.name for option in fields(spec)}
    if unknown:
        raise ValueError(f"{sorted(unknown)[0]}: {kind} has no such setting.")
    return spec(**stored)


def help_for(spec: type, name: str) -> str:
    return spec.__dataclass_fields__[name].metadata["help"]
