// The remarks on a record: marks their passages in the text, takes new ones from what a person selects there,
// keeps what is typed. Sees `element`, `trigger`, `props` and `watch` of its View. Passages are the elements with
// data-remark-field; offsets count code points. Gradio reuses nodes when it draws anew, so what was typed is put
// back into its own box after each drawing.
window.studioRemarks?.abort(); // a View that is mounted again takes over
const over = new AbortController();
window.studioRemarks = over;
const listen = (target, type, act, options = {}) => target.addEventListener(type, act, { ...options, signal: over.signal });
const typed = new Map(); // `record/box` -> text not sent yet
const about = new Map(); // record -> what the new remark is about: {field, span, quote}
const unfolded = new Set(); // records whose resolved threads are shown
const canHighlight = 'highlights' in CSS;
let drawn = []; // [{id, range}] of the passages that are marked
let reached = ''; // the link that was followed already

const section = () => element.querySelector('[data-record]');
const record = () => section()?.dataset.record || '';
const inside = (selector) => element.querySelector(selector);
const length = (text) => [...text].length;
const plain = (text) => text.replace(/\r\n?/g, '\n');

// Passages ---------------------------------------------------------------------------------------------
const passages = () => [...document.querySelectorAll('[data-remark-field]')].filter((passage) => {
  const owner = passage.closest('[data-remark-record], [data-id]');
  return passage.offsetParent && (!owner || (owner.dataset.remarkRecord || owner.dataset.id) === record());
});
// A Range over [start, end) code points of a passage, or null when it is not that long.
const rangeOf = (passage, start, end) => {
  const walker = document.createTreeWalker(passage, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  let seen = 0, hasStart = false;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const points = [...node.data];
    const at = (point) => points.slice(0, point - seen).join('').length;
    if (!hasStart && start < seen + points.length) { range.setStart(node, at(start)); hasStart = true; }
    if (hasStart && end <= seen + points.length) { range.setEnd(node, at(end)); return range; }
    seen += points.length;
  }
  return null;
};
const setHighlight = (name, ranges) => {
  if (!canHighlight) return;
  ranges.length ? CSS.highlights.set(name, new Highlight(...ranges)) : CSS.highlights.delete(name);
};
const mark = () => {
  drawn = [];
  const shown = passages();
  for (const { id, field, span } of props.value?.marks || []) {
    const quote = inside('#remark-' + id + ' [data-quote]')?.textContent;
    for (const passage of shown.filter((one) => one.dataset.remarkField === field)) {
      const range = rangeOf(passage, ...span);
      if (range && plain(range.toString()) === plain(quote || '')) drawn.push({ id, range });
    }
  }
  setHighlight('studio-remark', drawn.map(({ range }) => range));
  const asked = about.get(record());
  const fresh = asked?.span ? shown.filter((one) => one.dataset.remarkField === asked.field) : [];
  setHighlight('studio-remark-new', fresh.map((one) => rangeOf(one, ...asked.span)).filter((range) => range));
};
let isDue = false;
const markSoon = () => {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => { isDue = false; if (!over.signal.aborted) mark(); });
};

// What is selected: {field, span, quote, range}, or null ------------------------------------------------
const selected = () => {
  const selection = document.getSelection();
  if (!record() || !selection.rangeCount || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0).cloneRange();
  const passage = passages().find((one) => one.contains(range.startContainer))
    || passages().find((one) => one.contains(range.endContainer));
  if (!passage) return null;
  // A triple click ends at the start of what comes next.
  if (!passage.contains(range.startContainer)) range.setStart(passage, 0);
  if (!passage.contains(range.endContainer)) range.setEnd(passage, passage.childNodes.length);
  const text = range.toString();
  const quote = text.trim();
  if (!quote) return null;
  const before = document.createRange();
  before.selectNodeContents(passage);
  before.setEnd(range.startContainer, range.startOffset);
  const start = length(before.toString()) + length(text.slice(0, text.indexOf(quote)));
  return { field: passage.dataset.remarkField, span: [start, start + length(quote)], quote, range };
};

// The small button beside a selection --------------------------------------------------------------------
document.querySelector('.remark-float')?.remove();
const float = document.createElement('button');
Object.assign(float, { type: 'button', className: 'remark-float', hidden: true, textContent: 'Remark on this ' });
float.append(Object.assign(document.createElement('kbd'), { textContent: 'm' }));
(document.querySelector('.gradio-container') || document.body).append(float);
over.signal.addEventListener('abort', () => {
  float.remove();
  for (const name of ['studio-remark', 'studio-remark-new']) setHighlight(name, []);
});
const place = () => {
  const found = selected();
  float.hidden = !found;
  if (!found) return;
  const rects = found.range.getClientRects();
  const last = rects[rects.length - 1] || found.range.getBoundingClientRect();
  float.hidden = last.bottom < 0 || last.top > innerHeight; // it was scrolled away
  const left = Math.max(8, Math.min(last.right - 20, innerWidth - float.offsetWidth - 8));
  float.style.left = left + 'px';
  float.style.top = Math.min(last.bottom + 6, innerHeight - float.offsetHeight - 8) + 'px';
};
let placing = 0;
listen(document, 'selectionchange', () => { clearTimeout(placing); placing = setTimeout(place, 120); });
listen(window, 'scroll', () => { if (!document.getSelection().isCollapsed) place(); }, { capture: true, passive: true });
listen(float, 'mousedown', (event) => event.preventDefault()); // keeps the selection
listen(float, 'click', () => take());

const take = () => {
  const found = selected();
  if (found) {
    about.set(record(), { field: found.field, span: found.span, quote: found.quote });
    document.getSelection().removeAllRanges();
  }
  float.hidden = true;
  if (!inside('[data-new]')) return;
  showAbout();
  bringUp(inside('[data-new]'));
  inside('[data-new] textarea').focus({ preventScroll: true });
  markSoon();
};
if (window.studio) window.studio.remark = take; // for the sheet of shortcuts
const showAbout = () => {
  const form = inside('[data-new]');
  if (!form) return;
  const { field = '', quote = '' } = about.get(record()) || {};
  form.querySelector('select').value = field;
  form.querySelector('[data-about]').hidden = !quote;
  form.querySelector('[data-about-quote]').textContent = quote;
};

// Threads ------------------------------------------------------------------------------------------------
// Brings a part of the View on the screen, its tab and its fold opened.
const bringUp = (node) => {
  const folded = node.closest('details');
  if (folded) folded.open = true;
  const panel = node.closest('[role=tabpanel]');
  if (panel && !node.offsetParent) document.querySelector('[role=tab][aria-controls="' + CSS.escape(panel.id) + '"]')?.click();
  requestAnimationFrame(() => node.scrollIntoView({ block: 'nearest', behavior: 'smooth' }));
};
const openThread = (id) => {
  const thread = inside('#remark-' + id);
  if (!thread) return false;
  bringUp(thread);
  thread.classList.add('thread-here');
  setTimeout(() => thread.classList.remove('thread-here'), 2400);
  thread.focus({ preventScroll: true });
  return true;
};
const followLink = () => {
  const id = /^#remark-(\d+)$/.exec(location.hash)?.[1];
  if (id && reached !== record() + location.hash && openThread(id)) reached = record() + location.hash;
};
const showPassage = (thread) => {
  const found = drawn.find(({ id }) => String(id) === thread.dataset.thread);
  if (!found) return;
  found.range.startContainer.parentElement.scrollIntoView({ block: 'center', behavior: 'smooth' });
  const selection = document.getSelection();
  selection.removeAllRanges();
  selection.addRange(found.range.cloneRange());
};

// Sending ------------------------------------------------------------------------------------------------
const boxOf = (form) => (form.dataset.reply ? 'reply-' + form.dataset.reply : 'new');
const keyOf = (form) => record() + '/' + boxOf(form);
const send = (form) => {
  const body = form.querySelector('textarea').value;
  const button = form.querySelector('[type=submit]');
  if (!body.trim()) return form.querySelector('textarea').focus();
  if (button.disabled) return;
  const told = { record: Number(record()), body, box: boxOf(form) };
  hold(button);
  if (form.dataset.reply) return trigger('reply', { ...told, remark: Number(form.dataset.reply) });
  const { field = '', span = null, quote = '' } = about.get(record()) || {};
  trigger('remark', { ...told, version: Number(section().dataset.version), field, span, quote });
};
// One press, one remark; a press that was refused can be repeated.
const hold = (button) => { button.disabled = true; setTimeout(() => { button.disabled = false; }, 2500); };

listen(element, 'submit', (event) => { event.preventDefault(); send(event.target); });
listen(element, 'input', (event) => {
  if (event.target.matches('textarea')) typed.set(keyOf(event.target.form), event.target.value);
});
listen(element, 'change', (event) => {
  if (!event.target.matches('[data-new] select')) return;
  about.set(record(), { field: event.target.value });
  showAbout();
  markSoon();
});
listen(element, 'click', (event) => {
  const button = event.target.closest('button');
  const thread = event.target.closest('[data-thread]');
  if (!button) return;
  if (button.matches('[data-drop-quote]')) { about.delete(record()); showAbout(); markSoon(); }
  if (button.matches('[data-show]')) showPassage(thread);
  if (button.matches('[data-close]') && !button.disabled) {
    hold(button);
    const isClosing = button.dataset.close === 'resolve';
    trigger('close', { record: Number(record()), remark: Number(thread.dataset.thread), resolved: isClosing });
  }
});
listen(element, 'toggle', (event) => {
  if (event.target.matches('.threads-closed')) event.target.open ? unfolded.add(record()) : unfolded.delete(record());
}, { capture: true });
// Before the page's own shortcuts: Ctrl+Enter in a box sends that remark and submits no record.
listen(window, 'keydown', (event) => {
  const form = event.target.closest?.('form');
  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || !form || !element.contains(form)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  send(form);
}, { capture: true });
listen(document, 'keydown', (event) => {
  const isTyping = event.target.closest?.('input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]');
  if (event.key === 'Escape' && !float.hidden) float.hidden = true;
  if (event.key.toLowerCase() !== 'm' || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (isTyping || event.defaultPrevented || !record() || document.querySelector('dialog[open]')) return;
  event.preventDefault();
  take();
});
// A click on a marked passage opens its thread.
listen(document, 'click', (event) => {
  if (!event.target.closest?.('[data-remark-field]') || !document.getSelection().isCollapsed) return;
  const at = document.caretPositionFromPoint?.(event.clientX, event.clientY);
  const hit = at && drawn.find(({ range }) => range.isPointInRange(at.offsetNode, at.offset));
  if (hit) openThread(hit.id);
});
listen(window, 'hashchange', () => { reached = ''; followLink(); });

// What others say meanwhile ---------------------------------------------------------------------------------
const RESTED = 2000; // milliseconds without a key: a redrawing between two keys, or while composing, would lose one
const every = () => Number(document.body.dataset.remarksEvery) || 8000;
let lastKey = 0, asking = 0;
let caret = null; // where one is typing: {key, start, end, top}
const askLater = () => { clearTimeout(asking); asking = setTimeout(ask, every()); };
const ask = () => {
  if (over.signal.aborted) return;
  if (record() && !document.hidden && Date.now() - lastKey > RESTED) {
    holdCaret();
    trigger('poll', {});
  }
  askLater();
};
const holdCaret = () => {
  const box = document.activeElement;
  if (!box?.matches?.('textarea') || !element.contains(box)) return;
  caret = { key: keyOf(box.form), start: box.selectionStart, end: box.selectionEnd, top: box.getBoundingClientRect().top };
};
// The caret where it was, and its box where it stood on the screen.
const putCaretBack = () => {
  const was = caret; // the focus below takes a new one
  const form = was && [...element.querySelectorAll('form')].find((one) => keyOf(one) === was.key);
  if (!form || (document.activeElement !== document.body && !element.contains(document.activeElement))) return;
  const box = form.querySelector('textarea');
  box.focus({ preventScroll: true });
  box.setSelectionRange(was.start, was.end);
  const moved = box.getBoundingClientRect().top - was.top;
  if (moved) window.scrollBy({ top: moved, behavior: 'instant' });
};
for (const name of ['focusin', 'input', 'keyup', 'pointerup']) listen(element, name, holdCaret);
listen(element, 'input', () => { lastKey = Date.now(); });
listen(element, 'focusout', ({ target }) => setTimeout(() => { if (target.isConnected && document.activeElement !== target) caret = null; }));
listen(document, 'visibilitychange', () => { if (!document.hidden) ask(); });
askLater();

// After each drawing -------------------------------------------------------------------------------------
const settle = () => requestAnimationFrame(() => {
  if (over.signal.aborted || !section()) return markSoon();
  const { done, said } = props.value;
  if (done) typed.delete(record() + '/' + done);
  if (done === 'new') about.delete(record());
  for (const form of element.querySelectorAll('form')) {
    form.querySelector('textarea').value = typed.get(keyOf(form)) || '';
    form.querySelector('[type=submit]').disabled = false;
  }
  const folded = inside('.threads-closed');
  if (folded) folded.open = unfolded.has(record());
  if (done) caret = null;
  showAbout();
  putCaretBack();
  if (said) openThread(said);
  followLink();
  markSoon();
});
new MutationObserver(markSoon).observe(document.getElementById('main') || document.body, {
  childList: true, subtree: true, characterData: true,
});
watch('value', settle);
settle();
