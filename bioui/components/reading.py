"""The reading pane of a review: the record as a reader needs it, what is wrong with it, what changed since."""

from bioui.components import chip
from bioui.components.empty import empty_state
from bioui.components.empty import TEMPLATE as EMPTY_TEMPLATE
from bioui.components.instruction_form import CATEGORIES
from bioui.components.instruction_form import advice_value, near_value
from bioui.components.record_history import talk_value
from bioui.components.view import View
from bioui.components.word_diff import CHANGES, PARTS, field_changes
from bioui.present import ago, exact
from db.content import content_of
from db.session import Session
from db.tables import Instruction, Revision

DIFFICULTY = {1: "a student knows", 2: "a graduate knows", 3: "a clinician works it out",
              4: "an expert knows", 5: "a specialist thinks"}  # fmt: skip
# For inclusion where `this` holds text_value(...).
TEXT = """
<section class="passage"><h3>Instruction</h3><p class="reading">{{this.instruction}}</p></section>
{{#if this.input}}<section class="passage"><h3>Input</h3><p class="reading">{{this.input}}</p></section>{{/if}}
<section class="passage passage-output"><h3>Output</h3><p class="reading">{{this.output}}</p></section>
"""
TEMPLATE = (
    """
{{#if value.id}}{{#with value}}<article class="reading-pane" data-id="{{this.id}}">
<p class="reading-head"><b>Number {{this.id}}</b><span>version {{this.version}}</span><span>{{this.author}}</span>
  <time title="{{this.exact}}">submitted {{this.ago}}</time><a href="{{this.href}}">Open in Curate</a></p>
<p class="reading-labels">{{#each this.labels}}<span class="tag">{{this}}</span>{{/each}}</p>
{{#if this.own}}<div class="notice notice-review"><p>{{this.own}}</p></div>{{/if}}
"""
    + TEXT
    + """
<section class="checks" aria-label="Checks">
  {{#each this.advice}}<p class="check"><span class="check-mark" aria-hidden="true">!</span>
    <span><b>{{this.field}}</b> {{this.sentence}}</span></p>{{/each}}
  {{#unless this.advice}}<p class="check check-fine"><span class="check-mark" aria-hidden="true">✓</span>
    <span>No fault found in the wording.</span></p>{{/unless}}
  {{#with this.near}}<div class="near {{#if this.is_copy}}near-copy{{/if}}">
    <p>{{#if this.is_copy}}<b>Near copy.</b> {{/if}}Nearest stored: <a href="{{this.href}}">number {{this.id}}</a>,
      ROUGE-L {{this.score}}{{#if this.is_copy}}, above 0.70{{/if}}</p>
    {{#if this.parts}}<p class="near-text">"""
    + PARTS
    + """</p>{{/if}}</div>{{/with}}
</section>
{{#if this.changes}}<section class="passage"><h3>{{this.since}}</h3>"""
    + CHANGES
    + """</section>{{/if}}
{{#if this.said}}<section class="passage"><h3>Said before</h3>{{#each this.said}}<p class="said">
  {{#if this.chip}}{{#with this.chip}}"""
    + chip.TEMPLATE
    + """{{/with}} {{/if}}<b>{{this.author}}</b> on version {{this.version}}, {{this.ago}}{{#if this.body}}<br>{{this.body}}{{/if}}</p>{{/each}}
  </section>{{/if}}
</article>{{/with}}{{else}}"""
    + EMPTY_TEMPLATE
    + """{{/if}}
<p class="record-note" role="status">{{value.note}}</p>
"""
)
# Keys a, c, r decide unless someone types; a new record is read from its top.
ON_LOAD = """
const keys = {a: 'approve-btn', c: 'changes-btn', r: 'reject-btn'};
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
  if (event.target.closest('input, textarea, select, [contenteditable]')) return;
  const button = document.getElementById(keys[event.key]);
  if (button && button.offsetParent && !button.disabled) { event.preventDefault(); button.click(); }
});
let shown = null;
watch('value', () => {
  const id = props.value.id;
  studio.setParam('id', id || null);
  if (shown !== null && id !== shown) {
    const pane = document.getElementById('reading');
    if (pane.getBoundingClientRect().top < 0 || window.innerWidth <= 900) pane.scrollIntoView({block: 'start'});
  }
  shown = id;
});
"""
NOTHING_TO_READ = {
    "id": 0,
    "note": "",
    "empty": empty_state("Nothing to review.", "New submissions appear here."),
}
CATEGORY_NAMES = {value: name for name, value in CATEGORIES}


def reading_pane() -> View:
    return View(TEMPLATE, NOTHING_TO_READ, on_load=ON_LOAD)


def reading_value(session: Session, record: Instruction, *, own: str = "", note: str = "") -> dict:
    """`own` says why the reader may not decide, or that the decision is recorded as solo."""
    content = content_of(record)
    before, since = _text_before(record)
    return {
        **text_value(record),
        "version": record.version,
        "ago": ago(record.submitted_at),
        "exact": exact(record.submitted_at),
        "href": f"/curate?project={record.project_id}&id={record.id}",
        "own": own,
        "advice": advice_value(content),
        "near": near_value(session, record.project_id, content, record.id),
        "changes": field_changes(content_of(before), content) if before else [],
        "since": since,
        "said": talk_value(session, record)["said"],
        "note": note,
        "empty": NOTHING_TO_READ["empty"],
    }


def text_value(record: Instruction) -> dict:
    """The texts and labels of one record."""
    labels = [CATEGORY_NAMES[record.category], record.task.replace("_", " "), record.specialty]
    labels += [f"difficulty {record.difficulty}: {DIFFICULTY[record.difficulty]}", *record.tags]
    return {
        "id": record.id,
        "author": record.author.full_name,
        "instruction": record.instruction,
        "input": record.input,
        "output": record.output,
        "labels": [label for label in labels if label]
        + ([f"source: {record.source}"] if record.source else []),
    }


def _text_before(record: Instruction) -> tuple[Revision | None, str]:
    """The revision a reviewer compares with: the one in force, else the one before this."""
    number = record.approved_version or record.version - 1
    before = next((revision for revision in record.revisions if revision.number == number), None)
    if before is None or number == record.version:
        return None, ""
    what = "approved version" if record.approved_version else "version"
    return before, f"Changed since {what} {number}"
