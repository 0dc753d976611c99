"""How many rows are in which split and category: a table whose cells are bars."""

from db.enums import Category, Split

CATEGORY_WORDS = {Category.QA: "QA", Category.IE: "IE", Category.GEN: "GEN", Category.OTHER: "other"}
SPLIT_WORDS = {Split.TRAIN: "train", Split.VALIDATION: "validation", Split.TEST: "test"}

# For inclusion where `value` holds a splits_value(...).
SPLIT_TABLE = """
<table class="table split-table"><caption class="sr-only">Rows by split and category</caption>
  <thead><tr><th scope="col">Rows</th>
    {{#each value.categories}}<th scope="col" class="col-num">{{this}}</th>{{/each}}
    <th scope="col" class="col-num">All</th></tr></thead>
  <tbody>{{#each value.splits}}<tr><th scope="row">{{this.name}}</th>
    {{#each this.cells}}<td class="col-num">{{this.text}}<span class="bar-track" aria-hidden="true"><span
      style="width:{{this.width}}%"></span></span></td>{{/each}}
    <td class="col-num">{{this.total}}</td></tr>{{/each}}</tbody></table>
"""


def splits_value(by_category: dict[str, dict[str, int]]) -> dict:
    """From rows by category and, in it, by split, as a report counts them."""
    most = max((rows for counts in by_category.values() for rows in counts.values()), default=0) or 1
    return {
        "categories": list(CATEGORY_WORDS.values()),
        "splits": [
            {
                "name": SPLIT_WORDS[split].capitalize(),
                "total": f"{sum(counts.get(split, 0) for counts in by_category.values()):,}",
                "cells": [
                    {"text": f"{rows:,}", "width": round(100 * rows / most, 1)}
                    for rows in (by_category.get(name, {}).get(split, 0) for name in Category)
                ],
            }
            for split in Split
        ],
    }
