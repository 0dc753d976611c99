"""The closed vocabularies of the studio, stored as their lower-case values."""

from enum import StrEnum


class Role(StrEnum):
    AUTHOR = "author"
    REVIEWER = "reviewer"
    TRAINER = "trainer"
    CLINICIAN = "clinician"
    ADMIN = "admin"


class Category(StrEnum):
    """The four groups of BioInstruct: question answering, information extraction, generation, the rest."""

    QA = "QA"
    IE = "IE"
    GEN = "GEN"
    OTHER = "OTHER"


class Origin(StrEnum):
    """How an instruction came into the studio."""

    SEED = "seed"
    GENERATED = "generated"
    CONVERTED = "converted"
    IMPORTED = "imported"
    FEEDBACK = "feedback"


class Provenance(StrEnum):
    """Who wrote the text: people, a model, or a translation of either."""

    NATIVE = "native"
    SYNTHETIC = "synthetic"
    TRANSLATED = "translated"


class InstructionStatus(StrEnum):
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    CHANGES_REQUESTED = "changes_requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    RETIRED = "retired"


class Decision(StrEnum):
    APPROVE = "approve"
    REQUEST_CHANGES = "request_changes"
    REJECT = "reject"


class Reason(StrEnum):
    """Why a reviewer did not approve."""

    WRONG = "wrong"
    UNSAFE = "unsafe"
    INCOMPLETE = "incomplete"
    UNCLEAR = "unclear"
    UNSUPPORTED = "unsupported"
    DUPLICATE = "duplicate"
    OUT_OF_SCOPE = "out_of_scope"
    LABELS = "labels"
    PRIVACY = "privacy"
    STYLE = "style"
    OTHER = "other"


class Split(StrEnum):
    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class JobKind(StrEnum):
    TRAIN = "train"  # LoRA or full
    DATA_REPORT = "data_report"  # what a training run would do: rows, tokens, steps, time
    GENERATE = "generate"  # grow instructions from seeds, by an endpoint
    CONVERT = "convert"  # turn corpora into instructions
    EXPORT = "export"  # an adapter as other tools take it
    EVALUATE = "evaluate"  # score a base, or an adapter on it, on tasks
    TRAIN_ENCODER = "train_encoder"  # tune an encoder with a head, and score it on the same rows
    JUDGE = "judge"  # let a model behind an endpoint compare and grade answers
    STUDY = "study"  # lead a grid of trainings and evaluations
    COMPARE = "compare"  # put a file of prompts to several sides


class JobStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def is_open(self) -> bool:
        """True while a worker still has, or will have, something to do for the job."""
        return self in (JobStatus.QUEUED, JobStatus.RUNNING)


class StopMode(StrEnum):
    """What a cancelled run leaves behind."""

    SAVE = "save"  # a last checkpoint, to resume from
    DISCARD = "discard"  # nothing


class AlertKind(StrEnum):
    """Why a person should look at a run."""

    NOT_A_NUMBER = "not_a_number"
    DIVERGED = "diverged"
    PLATEAU = "plateau"
    OVERFITTING = "overfitting"
    SILENT = "silent"  # no heartbeat
    DISK = "disk"  # nearly full


class CallState(StrEnum):
    """What became of one request of a generation run."""

    ASKED = "asked"  # written before the request left
    ANSWERED = "answered"
    FAILED = "failed"  # refused, or every try in vain
    LOST = "lost"  # under way when the process died: perhaps paid, and not asked again


class ProcessRole(StrEnum):
    WORKER = "worker"
    MODEL_SERVER = "model_server"


class Side(StrEnum):
    BASE = "base"
    TUNED = "tuned"


class Choice(StrEnum):
    """A vote between two answers, `one` being that of the lower position."""

    ONE = "one"
    OTHER = "other"
    TIE = "tie"
    BOTH_BAD = "both_bad"


class Way(StrEnum):
    """How a model was asked for what a task scores."""

    GENERATION = "generation"  # it wrote an answer
    LIKELIHOOD = "likelihood"  # the option it finds most likely
    ENCODER = "encoder"  # an encoder's head


class StudyKind(StrEnum):
    CATEGORY_TRANSFER = "category_transfer"  # tuned on none, QA, IE, GEN, pairs, all; measured on each
    COMPOSITION = "composition"  # one source left out, one source only, mixes of provenance
    DATA_SCALE = "data_scale"  # shares of the rows
    RANK = "rank"  # ranks of the update
    EXPERTS = "experts"  # an adapter a task, one for all tasks, and the experts merged


class LinkPurpose(StrEnum):
    """What a one-time link lets its bearer do."""

    SET_UP = "set_up"
    INVITE = "invite"
