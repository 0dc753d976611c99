// What is chosen outlives the markup, which is replaced whenever the value changes.
const chosen = {words: '', specialty: '', tag: ''};
const holds = (item, heading) => {
  const text = (heading + ' ' + item.textContent + ' ' + item.dataset.words).toLowerCase();
  return chosen.words.split(/\s+/).every((word) => text.includes(word))
    && (!chosen.specialty || item.dataset.specialty === chosen.specialty)
    && (!chosen.tag || item.dataset.tags.includes('|' + chosen.tag + '|'));
};
const find = () => {
  let found = 0;
  for (const section of element.querySelectorAll('section')) {
    const heading = section.querySelector('h3').textContent;
    let here = 0;
    for (const item of section.querySelectorAll('.shelf-item')) {
      item.hidden = !holds(item, heading);
      here += !item.hidden;
    }
    section.hidden = !here;
    found += here;
  }
  element.querySelector('.shelf-none').hidden = found > 0;
};
const wide = window.matchMedia('(min-width: 1000px)');
let open = wide.matches;
const settle = () => {
  element.querySelector('.shelf').open = open;
  element.querySelector('.shelf-search').value = chosen.words;
  for (const select of element.querySelectorAll('[data-filter]')) {
    select.value = chosen[select.dataset.filter];
    if (select.selectedIndex < 0) { chosen[select.dataset.filter] = ''; select.value = ''; }
  }
  find();
};
element.addEventListener('input', (event) => {
  const field = event.target;
  if (field.matches('.shelf-search')) chosen.words = field.value.toLowerCase();
  if (field.dataset.filter) chosen[field.dataset.filter] = field.value;
  find();
});
element.addEventListener('click', (event) => {
  if (event.target.closest('summary')) { open = !element.querySelector('.shelf').open; return; }
  const item = event.target.closest('[data-id]');
  if (!item) return;
  if (!wide.matches) open = false;
  settle();
  trigger('pick', {id: Number(item.dataset.id)});
});
element.addEventListener('keydown', (event) => {
  const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
  if (!step || event.target.matches('select')) return;
  const items = [...element.querySelectorAll('.shelf-item')].filter((item) => item.offsetParent);
  const to = items[items.indexOf(document.activeElement) + step];
  if (to) { event.preventDefault(); to.focus(); }
});
wide.addEventListener('change', () => { open = wide.matches; settle(); });
watch('value', settle);
settle();
