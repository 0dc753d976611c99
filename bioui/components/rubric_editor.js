const list = () => element.querySelector('.rubric-items');
const most = () => props.value.most;
let removed = []; // [item, the item it stood before], the latest last
const show = () => {
  element.querySelector('[data-do="add"]').disabled = list().children.length >= most();
  element.querySelector('[data-do="undo"]').hidden = !removed.length;
  element.querySelector('.rubric-none').hidden = list().children.length > 0;
  for (const item of list().children) {
    item.classList.toggle('is-choice', Boolean(item.querySelector('[data-of="is_choice"]').value));
  }
};
const empty = () => {
  const item = document.createElement('li');
  item.className = 'rubric-item';
  item.dataset.key = '';
  item.append(...pattern.cloneNode(true).childNodes);
  for (const field of item.querySelectorAll('[data-of]')) field.value = '';
  return item;
};
const pattern = list().firstElementChild.cloneNode(true);
const acts = {
  up: (item) => item.previousElementSibling?.before(item),
  down: (item) => item.nextElementSibling?.after(item),
  remove: (item) => { removed.push([item, item.nextElementSibling]); item.remove(); },
  undo: () => { const [item, before] = removed.pop(); list().insertBefore(item, before?.isConnected ? before : null); },
  add: () => { const item = empty(); list().append(item); item.querySelector('input').focus(); },
};
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-do]');
  if (!button) return;
  acts[button.dataset.do](button.closest('.rubric-item'));
  if (button.isConnected && button.dataset.do !== 'add') button.focus();
  show();
});
element.addEventListener('change', show);
element.addEventListener('keydown', (event) => { if (event.key === 'Enter' && event.target.matches('input')) event.preventDefault(); });
watch('value', () => { removed = []; show(); });
window.studio.readRubric = () => [...list().children].map((item) => ({
  key: item.dataset.key,
  ...Object.fromEntries([...item.querySelectorAll('[data-of]')].map((field) => [field.dataset.of, field.value])),
}));
show();
