"""What a set of instructions is made of, drawn: shares, lengths, labels, copies and overlaps."""

from collections.abc import Sequence
from pathlib import Path

from bioui.components.bar_chart import Bar, BarChart, bar_charts_value
from bioui.components.convert_fields import WRITERS
from bioui.components.instruction_form import CATEGORIES
from bioui.components.rank_chart import RankChart, Ranked, rank_charts_value
from bioui.components.view import View
from bioui.present import counted
from db.corpora.composition import Composition, Copies, LabelBalance, Share
from db.text_figures import Histogram

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
TABLES = Path(__file__).with_name("composition_tables.hbs").read_text(encoding="utf-8")
NO_HEAD = {"figures": [], "note": ""}
NO_TABLES = {"copies": [], "pairs": [], "overlaps": [], "compared": "", "shown": False}
NO_CHARTS = {"charts": [], "shapes": [], "waiting": False}
_SHARES = 12  # of the many; the rest is summed up
_LABELS = 10
_WORDS = {value: words for words, value in (*CATEGORIES, *WRITERS)}


def composition_head() -> View:
    return View(TEMPLATE, NO_HEAD, elem_classes="composition-head", elem_id="composition")


def composition_tables() -> View:
    return View(TABLES, NO_TABLES, elem_classes="composition-tables")


def head_value(found: Composition) -> dict:
    """The whole in a few figures, and how tokens were reckoned."""
    copies = found.copies.within + found.copies.across
    figures = [
        ("Rows", f"{found.rows:,}"),
        ("Tokens" if found.are_tokens_counted else "Tokens, about", f"{found.tokens:,}"),
        ("Sources", f"{len(found.sources):,}"),
        ("Tasks", f"{len(found.tasks):,}"),
        ("Exact copies", f"{copies:,}"),
    ]
    note = (
        "Tokens are counted by the starter model's tokenizer; another model's counts others."
        if found.are_tokens_counted
        else "Tokens are estimated at four characters each: good for shares and planning."
    )
    return {"figures": [{"name": name, "text": text} for name, text in figures], "note": note}


def shares_value(found: Composition) -> dict:
    kinds = (
        ("By source", "Source", found.sources),
        ("By task", "Task", found.tasks),
        ("By provenance", "Written by", found.provenances),
        ("By category", "Category", found.categories),
        ("By the source's split", "Split", _named_splits(found.splits)),
    )
    return rank_charts_value([_shares(*kind) for kind in kinds])


def lengths_value(found: Composition) -> dict:
    charts = []
    for lengths in found.lengths:
        bars = [Bar(f"{low:,}", count, f"{low:,} to {high - 1:,}") for low, high, count in lengths.bins]
        charts.append(
            BarChart(
                lengths.field.capitalize(), "Words", "Rows", _thinned(bars), edges=True,
                end=f"{lengths.bins[-1][1]:,}" if lengths.bins else "",
                sentence=_lengths(lengths),
                empty=f"No row has an {lengths.field}.",
            )
        )  # fmt: skip
    return bar_charts_value(charts)


def labels_value(found: Composition) -> dict:
    return rank_charts_value([_labels(balance) for balance in found.labels])


def tables_value(found: Composition) -> dict:
    sets = ", ".join(found.compared_with)
    return {
        "shown": True,
        "copies": _copies(found.copies),
        "pairs": [
            {"first": first, "later": later, "rows": f"{rows:,}"}
            for first, later, rows in found.copies.pairs[:20]
        ],
        "overlaps": [
            {
                "source": each.source,
                "set": each.evaluation_set,
                "cells": [f"{count:,}" for count in (each.rows, each.exact, each.runs, each.near)],
            }
            for each in found.overlaps
        ],
        "compared": f"Compared with {sets}." if sets else "",
        "clean": f"No row holds a text of {sets}." if sets and not found.overlaps else "",
    }


def _lengths(found: Histogram) -> str:
    p95, longest = round(found.p95), found.longest
    return f"Median {found.median:,.0f} words, 95 % at most {p95:,}, the longest {longest:,}."


def _shares(title: str, head: str, shares: Sequence[Share]) -> RankChart:
    shown = list(shares[:_SHARES])
    rest = shares[_SHARES:]
    rows = [
        Ranked(
            _name(each.name),
            (f"{each.rows:,}", f"{each.row_share:.1%}", f"{each.token_share:.1%}"),
            each.row_share,
        )
        for each in shown
    ]
    if rest:
        share, tokens = sum(each.row_share for each in rest), sum(each.token_share for each in rest)
        more = (f"{sum(each.rows for each in rest):,}", f"{share:.1%}", f"{tokens:.1%}")
        rows.append(Ranked(f"{len(rest)} more", more, share, hue="quiet"))
    heads = (head, "Rows", "of rows", "of tokens")
    return RankChart(title, heads, "Share of rows", rows, empty="Nothing to show.")


def _labels(balance: LabelBalance) -> RankChart:
    """Shares are of rows: where rows have several labels they sum to more than all."""
    rows = [
        Ranked(name, (f"{count:,}", f"{count / balance.rows:.1%}"), count / balance.rows)
        for name, count in balance.labels[:_LABELS]
    ]
    if balance.without:
        share = balance.without / balance.rows
        rows.append(Ranked("no label", (f"{balance.without:,}", f"{share:.1%}"), share, hue="quiet"))
    more = len(balance.labels) - _LABELS
    others = f" {more} rarer labels are not shown." if more > 0 else ""
    rows_said = counted(balance.rows, "row")
    sentence = f"Guessing the commonest is right in {balance.majority:.0%} of {rows_said}.{others}"
    return RankChart(
        f"Labels of {balance.source}", ("Label", "Rows", "of rows"), "Share of rows", rows, sentence
    )


def _copies(copies: Copies) -> list[dict]:
    told = (
        ("The same instruction, input and output", copies.within, copies.across),
        ("The same input, another answer or wording", copies.same_input_within, copies.same_input_across),
    )
    return [{"name": name, "within": f"{a:,}", "across": f"{b:,}"} for name, a, b in told]


def _name(name: str) -> str:
    return _WORDS.get(name) or name.replace("_", " ") or "not given"


def _named_splits(shares: Sequence[Share]) -> list[Share]:
    return [
        Share(each.name or "no split of its own", each.rows, each.tokens, each.row_share, each.token_share)
        for each in shares
    ]


def _thinned(bars: list[Bar]) -> list[Bar]:
    """At most seven ticks, so that they do not run into one another."""
    step = -(-len(bars) // 7) or 1
    return [bar if place % step == 0 else Bar("", bar.count, bar.name) for place, bar in enumerate(bars)]
