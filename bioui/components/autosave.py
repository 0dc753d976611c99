"""What is typed is kept every few seconds and on leaving, and the page says when.

Event of the View: `keep`. While something typed is not kept yet, `data-unsaved` is on the body and the
browser asks before it closes the page.
"""

from datetime import datetime

from bioui.components.view import View

TEMPLATE = """
<p class="kept" role="status">{{#if value.at}}Typing saved <time data-clock="{{value.at}}"></time>{{/if}}</p>
"""
ON_LOAD = """
const RESTED = 900, LONGEST = 4000;  // milliseconds: after the last key, and while keys keep coming
let timer = 0, since = 0, typed = 0, asked = 0;
const keep = () => {
  clearTimeout(timer);
  if (!document.body.dataset.unsaved || asked === typed) return;
  since = 0;
  asked = typed;
  trigger('keep', {});
};
const inForm = (event) => event.target.closest && event.target.closest('#instruction-form');
document.addEventListener('input', (event) => {
  if (!inForm(event)) return;
  document.body.dataset.unsaved = '1';
  typed += 1;
  since = since || Date.now();
  clearTimeout(timer);
  timer = setTimeout(keep, Math.max(0, Math.min(RESTED, since + LONGEST - Date.now())));
});
document.addEventListener('focusout', (event) => { if (inForm(event)) setTimeout(keep, 0); });
document.addEventListener('visibilitychange', () => { if (document.hidden) keep(); });
window.addEventListener('pagehide', keep);
window.addEventListener('beforeunload', (event) => {
  keep();
  if (document.body.dataset.unsaved) event.preventDefault();
});
watch('value', () => {
  if (asked === typed) delete document.body.dataset.unsaved;
  for (const clock of element.querySelectorAll('[data-clock]'))
    clock.textContent = new Date(clock.dataset.clock).toLocaleTimeString('en-GB');
});
"""
NOT_KEPT = {"at": ""}


def autosave() -> View:
    return View(TEMPLATE, NOT_KEPT, on_load=ON_LOAD, elem_classes="autosave")


def kept_value(at: datetime) -> dict:
    return {"at": at.isoformat()}
