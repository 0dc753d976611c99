// Draws the pair of answers into its frame. Every text goes in as a text node, never as markup.
// Runs once per component with `element`, `trigger`, `props` and `watch` (see components/view.py).
const make = (tag, attributes, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  node.append(...children);
  return node;
};
const button = (label, name, title) => make('button', { type: 'button', class: 'pair-btn', 'data-do': name, ...(title && { title }) }, label);
// What Python escaped for Gradio's templates (components/view.py), read back.
const plain = (value) => typeof value === 'string' ? value.replace(/\\([\\$])/g, '$1')
  : Array.isArray(value) ? value.map(plain)
  : value && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
  : value;
const LABELS = { base: 'Base', tuned: 'Tuned' };
const WILL_COME = { base: 'What the base model says, untouched, will stand here.', tuned: 'What the tuned model says to the very same prompt will stand here.' };

let pair = plain(props.value);
let showsDifferences = false;

// The frame, built once -------------------------------------------------------------------------------
const phase = make('p', { class: 'pair-phase' });
const title = make('summary', {});
const prompt = make('p', { class: 'reading' });
const promptBox = make('details', { class: 'pair-prompt' }, title, prompt);
const caption = make('p', { class: 'pair-caption' });
const differences = button('Show differences', 'differences');
const copyLink = button('Copy link', 'link', 'Copy the address of this comparison');
const again = button('Ask again', 'again', 'Lay this prompt and its settings on the desk again');
const stopBoth = button('Stop both', 'stop');
const spoken = make('p', { class: 'sr-only', role: 'status', 'aria-live': 'polite' });
const columns = make('div', { class: 'pair-columns' });
const sides = Object.keys(LABELS).map((side) => {
  const parts = {
    name: make('span', { class: 'pair-name mono' }),
    stop: button('Stop', 'stop', 'Stop the ' + side + ' answer'),
    copy: button('Copy', 'copy', 'Copy the ' + side + ' answer'),
    text: make('p', { class: 'reading pair-text' }),
    wait: make('div', { class: 'pair-wait', 'aria-hidden': 'true' }, make('i'), make('i'), make('i')),
    hint: make('p', { class: 'pair-hint muted' }, WILL_COME[side]),
    figures: make('p', { class: 'pair-figures' }),
    facts: make('dl', { class: 'facts mono' }),
  };
  parts.stop.dataset.side = parts.copy.dataset.side = side;
  parts.details = make('details', { class: 'pair-provenance' }, make('summary', {}, 'Provenance'), parts.facts);
  parts.body = make('div', { class: 'pair-body' }, parts.hint, parts.wait, parts.text);
  const heading = make('h2', {}, make('span', { class: 'pair-mark', 'aria-hidden': 'true' }), LABELS[side]);
  parts.section = make('section', { class: 'pair-side pair-' + side, 'aria-label': LABELS[side] + ' answer' },
    make('header', {}, heading, parts.name, make('span', { class: 'pair-tools' }, parts.stop, parts.copy)),
    parts.body, make('div', { class: 'pair-foot' }, parts.figures, parts.details));
  columns.append(parts.section);
  return { side, drawn: null, ...parts };
});
const head = make('div', { class: 'pair-head' }, make('div', { class: 'pair-about' }, phase, promptBox, caption),
  make('div', { class: 'pair-tools' }, differences, again, copyLink, stopBoth));
element.querySelector('.pair').append(head, columns, spoken);

// Drawing ---------------------------------------------------------------------------------------------
const write = (node, text) => {
  const now = node.textContent;
  if (now === text) return;
  if (now && text.startsWith(now) && node.childNodes.length === 1) node.firstChild.appendData(text.slice(now.length));
  else node.textContent = text;
};
const drawText = (parts, answer) => {
  const marked = showsDifferences && answer.marked.length > 0;
  if (!marked) {
    if (parts.drawn === 'marked') parts.text.textContent = '';
    write(parts.text, answer.text);
  } else {
    parts.text.replaceChildren(...answer.marked.map(([text, differs]) => differs ? make('mark', {}, text) : text));
  }
  parts.drawn = marked ? 'marked' : 'plain';
};
const drawSide = (parts, answer) => {
  const running = pair.stage === 'running' && !answer.done;
  parts.section.setAttribute('aria-busy', running);
  parts.section.classList.toggle('is-streaming', running && answer.text !== '');
  write(parts.name, answer.name);
  drawText(parts, answer);
  parts.text.hidden = !answer.text;
  parts.wait.hidden = !(running && !answer.text);
  parts.stop.hidden = !running;
  parts.copy.hidden = running || !answer.text;
  write(parts.hint, pair.stage === 'empty' ? WILL_COME[parts.side]
    : answer.done ? 'Nothing was said: ' + answer.ending + ' before the first word.' : 'Nothing was said.');
  parts.hint.hidden = running || answer.text !== '';
  write(parts.figures, answer.done ? [...answer.figures, answer.ending].join(' · ') : '');
  const rows = JSON.stringify(answer.provenance);
  if (parts.facts.dataset.rows !== rows) {
    parts.facts.dataset.rows = rows;
    parts.facts.replaceChildren(...answer.provenance.flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]));
  }
  parts.details.hidden = answer.provenance.length === 0;
};
const say = () => {
  const stage = pair.stage === 'done' && pair.comparison_id ? 'Both answers are complete.'
    : pair.stage === 'running' ? pair.phase.replace(/ · .*/, '') : '';
  write(spoken, stage);
};
const draw = () => {
  const running = pair.stage === 'running';
  const differ = pair.sides.some((answer) => answer.marked.some(([, differs]) => differs));
  columns.dataset.stage = pair.stage;
  write(phase, pair.stage === 'running' || pair.stage === 'failed' ? pair.phase : '');
  phase.hidden = !phase.textContent;
  phase.classList.toggle('is-running', running);
  write(title, pair.title);
  write(prompt, pair.prompt);
  promptBox.hidden = !pair.prompt;
  write(caption, pair.caption);
  caption.hidden = !pair.caption;
  const comparable = pair.stage === 'done' && pair.sides.every((answer) => answer.text);
  differences.hidden = !comparable;
  differences.disabled = !differ;
  differences.textContent = !differ ? 'No differences' : showsDifferences ? 'Hide differences' : 'Show differences';
  differences.setAttribute('aria-pressed', showsDifferences && differ);
  copyLink.hidden = again.hidden = !pair.link;
  stopBoth.hidden = !running;
  head.hidden = pair.stage === 'empty';
  pair.sides.forEach((answer, at) => drawSide(sides[at], answer));
  say();
};

// Acting ----------------------------------------------------------------------------------------------
const copy = async (text, from) => {
  const before = from.textContent;
  try { await navigator.clipboard.writeText(text); } catch {  // only https and localhost have a clipboard
    const area = make('textarea', { class: 'sr-only' });
    document.body.append(area);
    area.value = text;
    area.select();
    document.execCommand('copy');
    area.remove();
    from.focus();
  }
  from.textContent = 'Copied';
  setTimeout(() => { from.textContent = before; }, 1500);
};
const actions = {
  stop: (from) => { from.disabled = true; setTimeout(() => { from.disabled = false; }, 3000); trigger('stop', { side: from.dataset.side || '' }); },
  copy: (from) => copy(pair.sides.find((answer) => answer.side === from.dataset.side).text, from),
  link: (from) => copy(new URL(pair.link, window.location.href).href, from),
  again: () => { trigger('again', {}); document.getElementById('field-instruction').scrollIntoView({ block: 'center' }); },
  differences: () => { showsDifferences = !showsDifferences; draw(); },
};
element.addEventListener('click', (event) => {
  const from = event.target.closest('[data-do]');
  if (from) actions[from.dataset.do](from);
});
// The bar stays at the top of the window where there is room for it; nothing may hide beneath it.
const barHeight = () => {
  const bar = document.getElementById('studio-bar');
  return bar && getComputedStyle(bar).position === 'sticky' ? bar.offsetHeight : 0;
};
const bringIntoView = () => {
  element.style.setProperty('--covered', barHeight() + 'px');
  const box = element.getBoundingClientRect();
  const covered = barHeight();
  if (box.top > covered && box.top + 260 < window.innerHeight) return;
  const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
  window.scrollTo({ top: window.scrollY + box.top - covered - 16, behavior: still ? 'auto' : 'smooth' });
};
watch('value', () => {
  const before = pair;
  pair = plain(props.value);
  if (pair.stage === 'running' && before.stage !== 'running') { showsDifferences = false; bringIntoView(); }
  if (pair.comparison_id !== before.comparison_id) studio.setParam('comparison', pair.comparison_id || null);
  draw();
});
draw();
