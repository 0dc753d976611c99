"""Every table of the studio; importing this package registers them all on `Base.metadata`."""

from db.tables.audit import AuditLine
from db.tables.base import Base
from db.tables.comparisons import Answer, Comparison, Vote
from db.tables.conversions import Conversion, ConvertedRow
from db.tables.curation import (
    BulkChange,
    DuplicateWaiver,
    Guideline,
    Lease,
    PrivacyFlag,
    SavedFilter,
    TypedGuideline,
    TypedText,
)
from db.tables.datasets import Dataset, DatasetRow, DatasetVersion
from db.tables.evaluations import (
    Encoder,
    Evaluation,
    Gain,
    Judgement,
    Leak,
    LeakCheck,
    Prediction,
    Study,
    StudyArm,
    TaskRow,
    TaskVersion,
)
from db.tables.factory import AuditSample, Candidate, GenerationCall, GenerationRun, GenerationTemplate
from db.tables.instructions import Comment, Instruction, Review, Revision
from db.tables.jobs import Alert, Attempt, Job, Metric, Notice, Process, SampleAnswer
from db.tables.projects import Project
from db.tables.prompts import Prompt, PromptVersion
from db.tables.registry import Adapter, BaseModel, Endpoint
from db.tables.rounds import Assignment, Round, RoundPair
from db.tables.users import LoginSession, OneTimeLink, User, UserRole

__all__ = [
    "Adapter",
    "Alert",
    "Answer",
    "Assignment",
    "Attempt",
    "AuditLine",
    "AuditSample",
    "Base",
    "BaseModel",
    "BulkChange",
    "Candidate",
    "Comment",
    "Comparison",
    "Conversion",
    "ConvertedRow",
    "Dataset",
    "DatasetRow",
    "DatasetVersion",
    "DuplicateWaiver",
    "Encoder",
    "Endpoint",
    "Evaluation",
    "Gain",
    "GenerationCall",
    "GenerationRun",
    "GenerationTemplate",
    "Guideline",
    "Instruction",
    "Job",
    "Judgement",
    "Leak",
    "LeakCheck",
    "Lease",
    "LoginSession",
    "Metric",
    "Notice",
    "OneTimeLink",
    "Prediction",
    "PrivacyFlag",
    "Process",
    "Project",
    "Prompt",
    "PromptVersion",
    "Review",
    "Revision",
    "Round",
    "RoundPair",
    "SampleAnswer",
    "SavedFilter",
    "Study",
    "StudyArm",
    "TaskRow",
    "TaskVersion",
    "TypedGuideline",
    "TypedText",
    "User",
    "UserRole",
    "Vote",
]
