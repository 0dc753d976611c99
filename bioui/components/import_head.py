"""The head of an import: its steps, and what was found out about the chosen file."""

from pathlib import PurePath

from bioui.components.view import View
from bioui.present import size_words
from db.exchange.plan import MAX_ROWS
from db.exchange.sniff import MAX_BYTES
from db.exchange.survey import Survey

STEPS = ("File", "Columns", "Preview", "Done")
STEPS_TEMPLATE = """
<ol class="steps" aria-label="Steps of an import">{{#each value}}
  <li class="step {{#if this.past}}step-past{{/if}}" {{#if this.here}}aria-current="step"{{/if}}>
    <b aria-hidden="true">{{this.mark}}</b><span>{{this.name}}</span></li>{{/each}}</ol>
"""
FACTS_TEMPLATE = """
{{#if value.rows}}<div class="import-facts"><h2>{{value.name}}</h2><dl class="facts">
  <dt>Layout</dt><dd>{{value.layout}}</dd>
  {{#if value.encoding}}<dt>Encoding</dt><dd>{{value.encoding}}</dd>{{/if}}
  <dt>Rows</dt><dd>{{value.rows}}{{#if value.unreadable}}
    <span class="chip chip-attention">{{value.unreadable}}</span>
    {{/if}}</dd>
  <dt>Columns</dt><dd>{{value.columns}}</dd><dt>Size</dt><dd>{{value.size}}</dd></dl></div>
{{else}}<div class="import-facts"><h2>What it reads</h2><dl class="facts">
  <dt>Records</dt><dd>Alpaca JSON, JSONL, CSV, TSV, Parquet, a zipped folder of
    <code>datasets.save_to_disk</code></dd>
  <dt>Conversations</dt><dd>messages or ShareGPT, in JSON, JSONL or Parquet</dd>
  <dt>At most</dt><dd>{{value.most}}; text in UTF-8</dd></dl>
  <p class="field-help">What a file is, is told from what is in it, not from its name. Nothing is stored
  before you have seen what every row becomes. Put no patient data into the studio.</p></div>{{/if}}
"""
NO_FACTS = {"rows": "", "most": f"{MAX_ROWS:,} rows and {MAX_BYTES >> 20} MiB"}


def import_steps() -> View:
    return View(STEPS_TEMPLATE, steps_value(0), elem_classes="steps-view")


def file_facts() -> View:
    return View(FACTS_TEMPLATE, NO_FACTS)


def steps_value(current: int) -> list[dict]:
    return [
        {"name": name, "here": n == current, "past": n < current, "mark": "✓" if n < current else str(n + 1)}
        for n, name in enumerate(STEPS)
    ]


def facts_value(path: str, found: Survey) -> dict:
    """What was sniffed."""
    names = ", ".join(found.columns[:12]) + (" and more" if len(found.columns) > 12 else "")
    return {
        "name": PurePath(path).name,
        "layout": f"{found.kind} ({found.layout.name})" if found.kind else found.layout.name,
        "encoding": found.encoding,
        "rows": f"{found.rows:,}",
        "unreadable": f"{found.unreadable:,} cannot be read" if found.unreadable else "",
        "columns": f"{len(found.columns):,}: {names}" if names else "none",
        "size": size_words(found.size),
    }
