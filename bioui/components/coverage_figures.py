"""The plots of the page on coverage: the work, the texts, the reviewers' agreement, each as plain values."""

from collections.abc import Sequence

from bioui.components.bar_chart import Bar, BarChart, bar_charts_value
from bioui.components.empty import empty_state
from bioui.components.interval_chart import NO_INTERVALS, Interval, intervals_value
from bioui.components.rank_chart import RankChart, Ranked, rank_charts_value
from bioui.components.sunburst_chart import Slice, sunburst_value
from bioui.present import counted
from db.agreement import Measure
from db.coverage import CategoryShare, QueueAge, ReasonCount, Week
from db.ratings import Agreement
from db.text_figures import Histogram, VerbNouns

SERIES = (("Written", "written"), ("Submitted", "submitted"), ("Approved", "approved"),
          ("Sent back", "changes_requested"), ("Rejected", "rejected"))  # fmt: skip
CATEGORY_WORDS = {
    "QA": "question answering",
    "IE": "information extraction",
    "GEN": "generation",
    "OTHER": "other",
}
UNIT_WORDS = {"words": "words", "characters": "characters", "tokens": "tokens (starter's tokenizer)"}


# The work -------------------------------------------------------------------------------------------


def throughput_value(weeks: Sequence[Week]) -> dict:
    """Five small charts of one span of weeks, each on its own scale."""
    return bar_charts_value([_series(title, name, weeks) for title, name in SERIES])


def _series(title: str, name: str, weeks: Sequence[Week]) -> BarChart:
    counts = [getattr(week, name) for week in weeks]
    bars = [
        Bar(_day(week) if place % 4 == 0 or week is weeks[-1] else "", count, f"{week.start:%Y-%m-%d}")
        for place, (week, count) in enumerate(zip(weeks, counts, strict=True))
    ]
    sentence = f"{sum(counts):,} in {len(weeks)} weeks, {counts[-1]:,} in this one"
    return BarChart(
        title,
        "Week from Monday (UTC)",
        "Records a week",
        bars,
        sentence,
        empty=f"None in {len(weeks)} weeks.",
    )


def _day(week: Week) -> str:
    return f"{week.start.day} {week.start:%b}"


def queue_value(age: QueueAge) -> dict:
    bars = [Bar(_span(low, below), records, _span(low, below)) for low, below, records in age.bins]
    sentence = ""
    if age.waiting:
        sentence = (
            f"{counted(age.waiting, 'submission')} in review: half have waited {hours(age.median)} or more, "
            f"one in ten {hours(age.p90)} or more, the oldest {hours(age.oldest)}"
        )
    return bar_charts_value([
        BarChart("Age of the queue", "Waiting since it was submitted", "Submissions", bars, sentence,
                 hue="quiet", empty="Nothing waits for review. Submissions appear here by their age.")
    ])  # fmt: skip


def hours(value: float | None) -> str:
    """`40 min`, `5 h`, `3.2 days`."""
    if value is None:
        return ""
    if value < 1:
        return f"{max(0, value) * 60:.0f} min"
    return f"{value:.0f} h" if value < 48 else f"{value / 24:.1f} days"


def _span(low: float, below: float) -> str:
    words = {24: "under 1 day", 72: "1–3 days", 168: "3–7 days", 336: "1–2 weeks", 672: "2–4 weeks"}
    return words.get(below, "over 4 weeks")


def reasons_value(rejected: Sequence[ReasonCount], sent_back: Sequence[ReasonCount]) -> dict:
    head = ("Reason", "Reviews", "Share")
    return rank_charts_value([
        RankChart("Reasons for changes requested", head, "Of all that were sent back", _reasons(sent_back),
                  sentence="One decision may name several.",
                  empty="Nothing was sent back yet."),
        RankChart("Reasons for rejection", head, "Of all that were rejected", _reasons(rejected),
                  sentence="One decision may name several.",
                  empty="Nothing was rejected yet."),
    ])  # fmt: skip


def _reasons(rows: Sequence[ReasonCount]) -> list[Ranked]:
    return [
        Ranked(row.reason.replace("_", " "), (f"{row.reviews:,}", f"{row.share:.0%}"), row.share, hue="quiet")
        for row in rows
    ]


def shares_value(shares: Sequence[CategoryShare], approved: Sequence[CategoryShare]) -> dict:
    head = ("Category", "Records", "Share", "BioInstruct")
    top = max(0.5, *(row.share for row in (*shares, *approved)))
    axis = f"Share of records, 0 to {top:.0%}; the mark is BioInstruct's"
    return rank_charts_value([
        RankChart(title, head, axis, _shares(rows, top), empty=nothing)
        for title, rows, nothing in (
            ("Categories of all records", shares, "No records yet."),
            ("Categories of approved records", approved, "Nothing is approved yet."),
        )
    ])  # fmt: skip


def _shares(rows: Sequence[CategoryShare], top: float) -> list[Ranked]:
    if not any(row.records for row in rows):
        return []
    return [
        Ranked(
            CATEGORY_WORDS[row.category],
            (f"{row.records:,}", f"{row.share:.1%}", f"{row.bioinstruct:.1%}"),
            row.share / top,
            mark=row.bioinstruct / top,
        )
        for row in rows
    ]


# The texts ------------------------------------------------------------------------------------------


def lengths_value(histograms: Sequence[Histogram]) -> dict:
    return bar_charts_value([_lengths(histogram) for histogram in histograms])


def _lengths(found: Histogram) -> BarChart:
    bars = [Bar(f"{low:,}", count, f"{low:,} to {below - 1:,}") for low, below, count in found.bins]
    sentence = (
        f"half up to {found.median:,.0f}, 95 % up to {found.p95:,.0f}, longest {found.longest:,}"
        if bars else ""
    )  # fmt: skip
    return BarChart(
        found.field.capitalize(), f"Length in {UNIT_WORDS[found.unit]}; each column twice as wide", "Records",
        bars, sentence, edges=True, end=f"{found.bins[-1][1]:,}" if bars else "",
        empty=f"No record has an {found.field} yet.",
    )  # fmt: skip


def verbs_value(found: VerbNouns) -> tuple[dict, str]:
    """The ring, and the sentence that says how much of the texts it stands for."""
    if not found.records:
        return {"waiting": False, "arcs": []}, (
            "No instructions yet: the ring shows which verbs they begin with, and what those act on."
        )
    if not found.verbs:
        return {"waiting": False, "arcs": []}, (
            "No instruction could be read by the rules yet: the ring appears with the first ones."
        )
    shown = sum(verb.records for verb in found.verbs)
    slices = [Slice(verb.verb, verb.records, verb.nouns) for verb in found.verbs]
    return sunburst_value(slices, share=f"{found.coverage:.0%}"), (
        f"The {len(found.verbs)} commonest verbs, each with its 4 commonest nouns, after Self-Instruct. A "
        f"verb and its noun could be read in {found.parsed:,} of {counted(found.records, 'instruction')} "
        f"({found.coverage:.1%}); {shown:,} of those are drawn, and there are "
        f"{counted(found.distinct, 'different pair')}. Read by rules, not by a parser: an instruction that "
        "the rules are not sure of is left out. Questions stand by their question word, those for "
        "yes or no as “whether”."
    )


# Agreement ------------------------------------------------------------------------------------------


def agreement_value(found: Agreement) -> tuple[dict, dict, dict]:
    """(overall, pairs, empty state or nothing)."""
    if not found.items:
        return NO_INTERVALS, NO_INTERVALS, {"empty": empty_state(
            "Nobody has double-reviewed yet.",
            "Agreement is measured on submissions that two people decided on without seeing each other's "
            "decision. Ask for a second review on some of them; the figures appear once both have decided.",
        )}  # fmt: skip
    overall = [
        _measure("Percent agreement", found.percent),
        _measure("Fleiss' kappa", found.fleiss),
        _measure("Krippendorff's alpha", found.alpha),
    ]
    pairs = [_measure(f"{pair.first} and {pair.second}", pair.kappa, pair.percent) for pair in found.pairs]
    return intervals_value("Overall", overall), intervals_value("Cohen's kappa", pairs), {"empty": None}


def _measure(name: str, measure: Measure, percent: Measure | None = None) -> Interval:
    same = f"They decided the same on {percent.value:.0%}." if percent and percent.value is not None else ""
    note = " ".join(part for part in (same, measure.note) if part)
    return Interval(name, measure.value, measure.low, measure.high, measure.n, note)
