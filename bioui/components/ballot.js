// What is said and typed of a pair stays here until the server has it: a refusal changes nothing on the page.
const form = () => element.querySelector('.ballot');
const corrected = () => element.querySelector('#ballot-corrected');
const comment = () => element.querySelector('#ballot-comment');
const textOf = (letter) => letter ? element.querySelector('[data-text="' + letter + '"]').textContent : '';
const preferred = () => ({left: 'A', right: 'B'})[form().dataset.choice] || '';
let start = ''; // what the correction began with: left as it was, it corrects nothing
const begin = (letter) => {
  start = textOf(letter);
  corrected().value = start;
};
const isTouched = () => corrected().value.trim() !== start.trim();
const groups = () => [...element.querySelectorAll('.ballot-cell')];
const focusFirst = () => {
  const first = element.querySelector('.ballot-cell input') || element.querySelector('#ballot-save');
  first.focus({preventScroll: true});
  const isShort = form().offsetHeight < window.innerHeight - 160;
  form().scrollIntoView({block: isShort ? 'nearest' : 'start', behavior: 'smooth'});
};
const rubric = () => {
  const said = {A: {}, B: {}};
  for (const input of element.querySelectorAll('.ballot-cell input:checked')) {
    const [letter, axis] = [input.name.slice(0, 1), input.name.slice(2)];
    said[letter][axis] = input.value;
  }
  return said;
};
const save = () => trigger('vote', {
  assignment: Number(form().dataset.id),
  choice: form().dataset.choice,
  rubric: rubric(),
  corrected: isTouched() ? corrected().value.trim() : '',
  comment: comment().value.trim(),
});

document.addEventListener('ballot-choice', (event) => {
  if (!form()) return;
  const before = isTouched();
  form().dataset.choice = event.detail;
  form().classList.add('is-chosen');
  if (!before) begin(preferred());
  focusFirst();
});
element.addEventListener('submit', (event) => {
  event.preventDefault();
  if (form().dataset.choice) save();
});
element.addEventListener('click', (event) => {
  const skip = event.target.closest('[data-skip]'), from = event.target.closest('[data-start]');
  if (skip) return trigger('skip', {assignment: Number(form().dataset.id), reason: skip.dataset.skip});
  if (!from) return;
  if (isTouched() && corrected().value.trim() && !window.confirm('Replace what you have typed?')) return;
  begin(from.dataset.start);
  corrected().focus();
});
// A second press on an answer takes it back; radio buttons alone cannot be emptied.
let held = null;
element.addEventListener('pointerdown', (event) => {
  const input = event.target.closest('.ballot-chip')?.querySelector('input');
  held = input && input.checked ? input : null;
});
element.addEventListener('click', (event) => {
  if (held && event.target === held) held.checked = false;
  if (event.target.matches('.ballot-chip input')) held = null;
});
element.addEventListener('keydown', (event) => {
  const group = event.target.closest('.ballot-cell');
  if (!group || event.ctrlKey || event.metaKey || event.altKey) return;
  const letter = {y: 'yes', n: 'no'}[event.key.toLowerCase()];
  const input = letter && group.querySelector('input[value="' + letter + '"]');
  if (!input) return;
  event.preventDefault();
  input.checked = true;
  const next = groups()[groups().indexOf(group) + 1];
  (next ? next.querySelector('input:checked') || next.querySelector('input') : element.querySelector('#ballot-save')).focus();
});
// What was typed and not saved is not lost to a slip: the browser asks before it leaves the page.
window.addEventListener('beforeunload', (event) => {
  if (form() && (isTouched() || comment().value.trim() !== comment().defaultValue.trim())) event.preventDefault();
});
watch('value', () => {
  start = corrected() ? (element.querySelector('.ballot-own').open ? '' : corrected().value) : '';
});
