"""Who has the open submission in hand, until when; and the way to give it back.

Events of the View: `active` (the person is still at it: renew) and `pass_on` (give it back, take another).
"""

from datetime import datetime

from bioui.components.view import View

# A tab that is only open does not keep a submission from others: somebody must have moved in it.
ON_LOAD = """
const EVERY = 4 * 60 * 1000;  // milliseconds; leases last 15 minutes
let moved = Date.now();
for (const name of ['pointermove', 'keydown', 'scroll'])
  document.addEventListener(name, () => { moved = Date.now(); }, {passive: true, capture: true});
setInterval(() => { if (props.value.until && Date.now() - moved < EVERY) trigger('active', {}); }, EVERY);
element.addEventListener('click', (event) => {
  if (event.target.closest('[data-pass]')) trigger('pass_on', {});
});
watch('value', () => {
  for (const clock of element.querySelectorAll('[data-clock]'))
    clock.textContent = new Date(clock.dataset.clock).toLocaleTimeString('en-GB').slice(0, 5);
});
"""
TEMPLATE = """
{{#if value.until}}<p class="lease">In your hands until <time data-clock="{{value.until}}"></time>;
  nobody else is given it.
  <button type="button" class="quiet-btn" data-pass>Pass, and take another</button></p>{{/if}}
"""
NO_LEASE = {"until": ""}


def lease_bar() -> View:
    return View(TEMPLATE, NO_LEASE, on_load=ON_LOAD, elem_classes="lease-bar")


def lease_value(until: datetime | None) -> dict:
    return {"until": until.isoformat() if until else ""}
