// Draws the answers into their frame. Every text goes in as a text node, never as markup.
// Runs once per component with `element`, `trigger`, `props` and `watch` (see components/view.py).
const make = (tag, attributes, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  node.append(...children);
  return node;
};
const button = (label, name, title) => make('button', { type: 'button', class: 'answers-btn', 'data-do': name, ...(title && { title }) }, label);
// What Python escaped for Gradio's templates (components/view.py), read back.
const plain = (value) => typeof value === 'string' ? value.replace(/\\([\\$])/g, '$1')
  : Array.isArray(value) ? value.map(plain)
  : value && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
  : value;
const write = (node, text) => {
  const now = node.textContent;
  if (now === text) return;
  if (now && text.startsWith(now) && node.childNodes.length === 1 && node.firstChild.nodeType === Node.TEXT_NODE) node.firstChild.appendData(text.slice(now.length));
  else node.textContent = text;
};
const showIf = (node, shown) => { node.hidden = !shown; };
const NAMES = { words: ['Word differences', 'Underline what the other answer does not say'], clinical: ['Clinical differences', 'Mark drugs, doses, numbers and denied findings that differ'] };
const COMING = [{ letter: 'A', colour: 'base', kind: 'Base', will: 'What the base model says, untouched, will stand here.' },
  { letter: 'B', colour: 'tuned', kind: 'Tuned', will: 'What the tuned model says to the very same prompt will stand here.' }];
const NOTHING = { text: '', tree: [], done: false, title: '', figures: [], ending: '', note: '', problem: '', provenance: [], measured: [] };

let value = plain(props.value);
let marking = '';        // '', 'words' or 'clinical'
let asWritten = false;
let columns = [];        // the parts of each column

// The frame, built once -------------------------------------------------------------------------------
const phase = make('p', { class: 'answers-phase' });
const title = make('summary', {});
const prompt = make('p', { class: 'reading' });
const promptBox = make('details', { class: 'answers-prompt' }, title, prompt);
const caption = make('p', { class: 'answers-caption' });
const marks = Object.entries(NAMES).map(([name, [label, help]]) => button(label, name, help));
const written = button('As written', 'written', 'Show the text without laying out its Markdown');
const copyLink = button('Copy link', 'link', 'Copy the address of this comparison');
const again = button('Ask again', 'again', 'Lay this prompt and its settings on the desk again');
const stopAll = button('Stop all', 'stop');
const head = make('div', { class: 'answers-head' }, make('div', { class: 'answers-about' }, phase, promptBox, caption),
  make('div', { class: 'answers-tools' }, ...marks, written, again, copyLink, stopAll));
const cueText = make('p', {});
const cue = make('div', { class: 'answers-cue', role: 'note' }, make('span', { class: 'answers-cue-mark', 'aria-hidden': 'true' }), cueText);
const legend = make('p', { class: 'answers-legend' });
const passageText = make('p', { class: 'reading' });
const passage = make('details', { class: 'answers-passage', open: '' }, make('summary', {}, 'Source passage'), passageText);
const sideways = make('p', { class: 'answers-sideways', 'aria-hidden': 'true' });
const row = make('div', { class: 'answers-columns', role: 'group', 'aria-label': 'Answers' });
const body = make('div', { class: 'answers-main' }, passage, make('div', { class: 'answers-side-by-side' }, sideways, row));
const list = make('section', { class: 'answers-differences', 'aria-label': 'Differences that matter' });
const spoken = make('p', { class: 'sr-only', role: 'status', 'aria-live': 'polite' });
element.querySelector('.answers').append(head, cue, legend, body, list, spoken);

const makeColumn = (at) => {
  const parts = {
    mark: make('span', { class: 'answers-mark', 'aria-hidden': 'true' }), kind: make('span', {}), name: make('span', { class: 'answers-name mono' }),
    stop: button('Stop', 'stop'), copy: button('Copy', 'copy'), replay: button('Replay', 'replay', 'Ask again exactly as the provenance says, and compare the text'),
    measured: make('div', { class: 'answers-measured' }), text: make('div', { class: 'answers-text' }),
    wait: make('div', { class: 'answers-wait', 'aria-hidden': 'true' }, make('i'), make('i'), make('i')), hint: make('p', { class: 'answers-hint muted' }),
    figures: make('p', { class: 'answers-figures' }), note: make('p', { class: 'answers-note', role: 'status' }), facts: make('dl', { class: 'facts mono' }),
  };
  for (const one of [parts.stop, parts.copy, parts.replay]) one.dataset.position = at;
  parts.details = make('details', { class: 'answers-provenance' }, make('summary', {}, 'Provenance'), parts.facts, parts.replay);
  parts.section = make('section', { class: 'answers-column' },
    make('header', {}, make('h2', {}, parts.mark, parts.kind), parts.name, make('span', { class: 'answers-tools' }, parts.stop, parts.copy)),
    parts.measured, make('div', { class: 'answers-body' }, parts.hint, parts.wait, parts.text),
    make('div', { class: 'answers-foot' }, parts.figures, parts.note, parts.details));
  return parts;
};

// Texts -----------------------------------------------------------------------------------------------
// A text at `place` of what is laid out, cut where a mark begins or ends; a mark is [start, end, style, tag].
const marked = (text, place, found) => {
  const end = place + text.length;
  const here = found.filter((mark) => mark[0] < end && mark[1] > place);
  if (!here.length) return [text];
  const cuts = [...new Set([place, end, ...here.flatMap((mark) => [Math.max(mark[0], place), Math.min(mark[1], end)])])].sort((a, b) => a - b);
  return cuts.slice(1).map((to, at) => {
    const from = cuts[at];
    const over = here.filter((mark) => mark[0] <= from && mark[1] >= to);
    const words = text.slice(from - place, to - place);
    if (!over.length) return words;
    const tags = over.filter((mark) => mark[3] && mark[1] === to).map((mark) => mark[3]);
    return make('mark', { class: over.map((mark) => 'mark-' + mark[2]).join(' '), ...(tags.length && { 'data-tag': tags.join(', ') }) }, words);
  });
};
const layOut = (nodes, found) => nodes.flatMap((node) => {
  if (Array.isArray(node)) return marked(node[0], node[1], found);
  const made = make(node.tag, node.start !== undefined ? { start: node.start } : {}, ...layOut(node.nodes, found));
  return [node.tag === 'table' ? make('div', { class: 'answers-table', tabindex: '0', role: 'group', 'aria-label': 'Table' }, made) : made];
});
const marksOf = (at) => {
  if (marking === 'words') return (value.words[at] || []).map(([start, end]) => [start, end, 'word', '']);
  return marking === 'clinical' ? value.clinical.marks[at] || [] : [];
};
const drawText = (parts, answer, at) => {
  const isLaidOut = answer.tree.length > 0 && !asWritten;
  const found = isLaidOut ? marksOf(at) : [];
  const drawn = isLaidOut ? JSON.stringify([answer.tree, found]) : '';
  if (drawn && parts.drawn === drawn) return;
  if (isLaidOut) parts.text.replaceChildren(...layOut(answer.tree, found));
  else if (parts.drawn) parts.text.textContent = answer.text;
  else write(parts.text, answer.text);
  parts.drawn = drawn;
};

// Drawing ---------------------------------------------------------------------------------------------
const drawMeasured = (parts, lines) => {
  const drawn = JSON.stringify(lines);
  if (parts.measuredAs === drawn) return;
  parts.measuredAs = drawn;
  parts.measured.replaceChildren(...lines.map((line) => {
    const isOurs = /^\/(?!\/)/.test(line.href || '');
    return make('p', line.help ? { title: line.help } : {}, line.text, ...(isOurs ? [' ', make('a', { href: line.href }, line.link)] : []));
  }));
};
const drawColumn = (parts, answer, at, count) => {
  const running = value.stage === 'running' && !answer.done;
  const named = [answer.kind, answer.title].filter(Boolean).join(' ');
  parts.section.className = 'answers-column' + (answer.colour ? ' answers-' + answer.colour : '') + (running && answer.text ? ' is-streaming' : '');
  parts.section.setAttribute('aria-label', answer.colour ? 'Answer ' + answer.letter + ', ' + named : named);
  parts.section.setAttribute('aria-busy', running);
  write(parts.mark, answer.letter);
  write(parts.kind, answer.kind);
  parts.kind.dataset.of = (at + 1) + ' of ' + count;
  write(parts.name, answer.title);
  parts.name.title = answer.title;
  parts.stop.title = 'Stop answer ' + answer.letter;
  parts.copy.title = 'Copy answer ' + answer.letter;
  drawMeasured(parts, answer.measured);
  drawText(parts, answer, at);
  showIf(parts.text, answer.text);
  showIf(parts.wait, running && !answer.text);
  showIf(parts.stop, running);
  showIf(parts.copy, !running && answer.text);
  write(parts.hint, answer.will || answer.problem || (answer.done && answer.ending ? 'Nothing was said: ' + answer.ending + ' before the first word.' : 'Nothing was said.'));
  showIf(parts.hint, answer.will || answer.problem || (!running && !answer.text));
  parts.hint.classList.toggle('is-problem', Boolean(answer.problem));
  write(parts.figures, answer.done ? [...answer.figures, answer.ending].filter(Boolean).join(' · ') : '');
  write(parts.note, answer.note);
  showIf(parts.note, answer.note);
  const rows = JSON.stringify(answer.provenance);
  if (parts.facts.dataset.rows !== rows) {
    parts.facts.dataset.rows = rows;
    parts.facts.replaceChildren(...answer.provenance.flatMap(([name, text]) => [make('dt', {}, name), make('dd', {}, text)]));
  }
  showIf(parts.details, answer.provenance.length > 0);
  showIf(parts.replay, value.stage === 'done' && value.comparison_id && answer.done);
};
const drawColumns = () => {
  const shown = value.stage === 'empty' ? COMING.map((one) => ({ ...NOTHING, ...one })) : value.columns;
  if (columns.length !== shown.length) {
    columns = shown.map((_, at) => makeColumn(at));
    row.replaceChildren(...columns.map((parts) => parts.section));
    row.style.setProperty('--columns', shown.length);
  }
  row.dataset.stage = value.stage;
  shown.forEach((answer, at) => drawColumn(columns[at], answer, at, shown.length));
  noticeWidth();
};
const drawList = () => {
  const rows = marking === 'clinical' ? value.clinical.rows : [];
  showIf(list, rows.length > 0 || (marking === 'clinical' && value.clinical.caution));
  const letters = value.columns.map((answer) => answer.letter);
  const cells = (one) => one.said.map((said, at) => make('td', said ? { 'data-of': letters[at] } : { 'data-of': letters[at], class: 'muted' }, said || 'not said'));
  const table = make('table', {}, make('thead', {}, make('tr', {}, ...['What', 'Difference', ...letters.map((letter) => 'Answer ' + letter)].map((name) => make('th', { scope: 'col' }, name)))),
    make('tbody', {}, ...rows.map((one) => make('tr', {}, make('th', { scope: 'row' }, make('span', { class: 'mark-' + one.kind }, one.about)), make('td', {}, one.note), ...cells(one)))));
  list.replaceChildren(make('h2', {}, 'Differences that matter'), ...(rows.length ? [make('div', { class: 'answers-table' }, table)] : []),
    make('p', { class: 'muted' }, value.clinical.caution));
};
const drawTools = () => {
  const isDone = value.stage === 'done';
  const has = { words: value.words.some((found) => found.length), clinical: value.clinical.available };
  marks.forEach((one) => {
    const name = one.dataset.do;
    showIf(one, isDone && (name === 'words' ? value.words.length > 1 : has.clinical));
    one.disabled = !has[name];
    one.setAttribute('aria-pressed', marking === name && has[name]);
  });
  showIf(written, isDone && value.columns.some((answer) => answer.tree.length));
  written.setAttribute('aria-pressed', asWritten);
  showIf(copyLink, value.link);
  showIf(again, value.link);
  showIf(stopAll, value.stage === 'running');
  stopAll.textContent = value.columns.length === 2 ? 'Stop both' : value.columns.length === 1 ? 'Stop' : 'Stop all';
};
const draw = () => {
  const running = value.stage === 'running';
  write(phase, running || value.stage === 'failed' ? value.phase : '');
  showIf(phase, phase.textContent);
  phase.classList.toggle('is-running', running);
  write(title, value.title || 'Prompt');
  write(prompt, value.prompt);
  showIf(promptBox, value.prompt);
  write(caption, value.caption);
  showIf(caption, value.caption);
  write(passageText, value.passage);
  showIf(passage, value.passage && value.stage !== 'empty');
  write(cueText, value.clinical.cue);
  cue.dataset.kind = value.clinical.cue_kind;
  showIf(cue, value.clinical.cue);
  legend.replaceChildren(...(marking === 'clinical' ? value.clinical.legend : []).map(([style, words]) => make('span', { class: 'mark-' + style }, words)));
  showIf(legend, legend.childNodes.length);
  showIf(head, value.stage !== 'empty');
  drawTools();
  drawColumns();
  drawList();
  write(spoken, value.stage === 'done' && value.columns.length ? (value.columns.length === 1 ? 'The answer is complete.' : 'All answers are complete. ') + value.clinical.cue
    : running ? value.phase.replace(/ · .*/, '') : '');
};
// Columns that do not fit scroll sideways, and say so.
const noticeWidth = () => {
  const isWide = body.clientWidth >= 400 + 300 * Math.max(2, columns.length);
  body.classList.toggle('is-beside', !passage.hidden && passage.open && isWide);
  const hidden = row.scrollWidth > row.clientWidth + 2;
  write(sideways, hidden ? '← scroll sideways for all ' + columns.length + ' answers →' : '');
  showIf(sideways, hidden);
  if (hidden) row.setAttribute('tabindex', '0'); else row.removeAttribute('tabindex');
};
new ResizeObserver(noticeWidth).observe(body);
passage.addEventListener('toggle', noticeWidth);

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
const positionOf = (from) => from.dataset.position === undefined ? null : Number(from.dataset.position);
const mark = (name) => { marking = marking === name ? '' : name; if (marking) asWritten = false; draw(); };
const actions = {
  stop: (from) => { from.disabled = true; setTimeout(() => { from.disabled = false; }, 3000); trigger('stop', { position: positionOf(from) }); },
  replay: (from) => { from.disabled = true; setTimeout(() => { from.disabled = false; }, 3000); trigger('replay', { position: positionOf(from) }); },
  copy: (from) => copy(value.columns[positionOf(from)].text, from),
  link: (from) => copy(new URL(value.link, window.location.href).href, from),
  again: () => { trigger('again', {}); document.getElementById('field-instruction')?.scrollIntoView({ block: 'center' }); },
  words: () => mark('words'),
  clinical: () => mark('clinical'),
  written: () => { asWritten = !asWritten; if (asWritten) marking = ''; draw(); },
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
  const before = value;
  value = plain(props.value);
  if (value.stage === 'running' && before.stage !== 'running') { marking = ''; asWritten = false; bringIntoView(); }
  if (value.blind && value.prompt !== before.prompt) { marking = ''; asWritten = false; }
  if (!value.blind && value.comparison_id !== before.comparison_id) studio.setParam('comparison', value.comparison_id || null);
  draw();
});
draw();
