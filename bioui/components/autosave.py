"""What is typed is kept every few seconds and on leaving, and the page says when.

`fields` is a CSS selector of what holds the form's boxes; one autosave a page. Event of the View: `keep`.
While something typed is not kept yet, `data-unsaved` is on the body and the browser asks before it closes the
page.
"""

from datetime import datetime

from bioui.components.view import View

TEMPLATE = """
<p class="kept" role="status">{{#if value.at}}Typing saved <time data-clock="{{value.at}}"></time>{{/if}}</p>
"""
ON_LOAD = """
window.studioAutosave?.abort(); // a View that is mounted again takes over
const over = window.studioAutosave = new AbortController();
const listen = (target, type, act) => target.addEventListener(type, act, {signal: over.signal});
const RESTED = 900, LONGEST = 4000;  // milliseconds: after the last key, and while keys keep coming
let timer = 0, since = 0, typed = 0, asked = 0;
const keep = () => {
  clearTimeout(timer);
  if (over.signal.aborted || !document.body.dataset.unsaved || asked === typed) return;
  since = 0;
  asked = typed;
  trigger('keep', {});
};
const inForm = (event) => event.target.closest && event.target.closest('@fields');
listen(document, 'input', (event) => {
  if (!inForm(event)) return;
  document.body.dataset.unsaved = '1';
  typed += 1;
  since = since || Date.now();
  clearTimeout(timer);
  timer = setTimeout(keep, Math.max(0, Math.min(RESTED, since + LONGEST - Date.now())));
});
listen(document, 'focusout', (event) => { if (inForm(event)) setTimeout(keep, 0); });
listen(document, 'visibilitychange', () => { if (document.hidden) keep(); });
listen(window, 'pagehide', keep);
listen(window, 'beforeunload', (event) => {
  keep();
  if (document.body.dataset.unsaved) event.preventDefault();
});
const showClock = () => {
  for (const clock of element.querySelectorAll('[data-clock]'))
    clock.textContent = new Date(clock.dataset.clock).toLocaleTimeString('en-GB');
};
showClock();
watch('value', () => {
  if (asked === typed) delete document.body.dataset.unsaved;
  showClock();
});
"""
NOT_KEPT = {"at": ""}


def autosave(fields: str = "#instruction-form") -> View:
    return View(TEMPLATE, NOT_KEPT, on_load=ON_LOAD.replace("@fields", fields), elem_classes="autosave")


def kept_value(at: datetime) -> dict:
    return {"at": at.isoformat()}
