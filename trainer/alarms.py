"""When a person should look at a run: its loss left for good, fell no more, or is learnt by heart.

Plain numbers in, sentences out; it knows neither the database nor torch. All rules compare means over several
points, for the loss of one batch says little.
"""

from dataclasses import asdict, dataclass, field
from statistics import fmean

from db.enums import AlertKind

POINTS = 10  # logged losses a mean is taken over
FAR = 1.5  # times its lowest mean: far above
LONG = 20  # points in a row up there: for long
FLAT_POINTS = 50  # half the stretch over which a loss must fall
FLAT = 0.005  # share it has to fall at least
FLAT_UNTIL = 0.75  # of the run: near its end the falling learning rate flattens every curve
RISES = 2  # looks in a row at a higher validation loss

Alarm = tuple[AlertKind, str]


@dataclass
class Alarms:
    """Fed with losses as they are logged; it keeps what the rules need, in plain values."""

    losses: list[float] = field(default_factory=list)  # the latest, 2 * FLAT_POINTS at most
    lowest: float | None = None  # mean of POINTS losses
    far_above: int = 0  # points in a row
    looked: float | None = None  # validation loss of the last look
    trained: float | None = None  # mean training loss between the two looks before
    since_look: list[float] = field(default_factory=list)
    rises: int = 0

    def log(self, step: int, total: int, loss: float) -> list[Alarm]:
        """A training loss, in nats a token."""
        self.losses = [*self.losses, loss][-2 * FLAT_POINTS :]
        self.since_look.append(loss)
        return [alarm for alarm in (self._diverged(step), self._flat(step, total)) if alarm]

    def look(self, step: int, loss: float) -> list[Alarm]:
        """A validation loss, in nats a token."""
        trained = fmean(self.since_look) if self.since_look else self.trained
        rose = self.looked is not None and loss > self.looked
        fell = self.trained is not None and trained is not None and trained < self.trained
        self.rises = self.rises + 1 if rose and fell else 0
        self.looked, self.trained, self.since_look = loss, trained, []
        if self.rises < RISES:
            return []
        return [
            (
                AlertKind.OVERFITTING,
                f"The validation loss rose at {self.rises} looks in a row, to {loss:.3f} at step {step}, "
                "while the training loss fell: the rows are being learnt by heart. Stop "
                "earlier, or keep the best.",
            )
        ]

    def to_json(self) -> dict:
        return asdict(self)

    def _diverged(self, step: int) -> Alarm | None:
        if len(self.losses) < POINTS:
            return None
        mean = fmean(self.losses[-POINTS:])
        self.lowest = mean if self.lowest is None else min(self.lowest, mean)
        self.far_above = self.far_above + 1 if mean > FAR * self.lowest else 0
        if self.far_above < LONG:
            return None
        return (
            AlertKind.DIVERGED,
            f"The loss is about {mean:.3f} at step {step}, far above the {self.lowest:.3f} it had reached, "
            "and stays there. Stop the run and lower the learning rate.",
        )

    def _flat(self, step: int, total: int) -> Alarm | None:
        if len(self.losses) < 2 * FLAT_POINTS or step > FLAT_UNTIL * total:
            return None
        before, after = fmean(self.losses[:FLAT_POINTS]), fmean(self.losses[FLAT_POINTS:])
        if abs(after - before) > FLAT * before:
            return None
        return (
            AlertKind.PLATEAU,
            f"The loss has not fallen for long (about {after:.3f} at step {step}). More epochs will add "
            "little; a higher learning rate or rank may.",
        )
