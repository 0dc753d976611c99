let timer = 0;
const fields = () => [...element.querySelectorAll('[data-filter]')];
const said = () => Object.fromEntries(fields().filter((one) => one.value.trim()).map((one) => [one.dataset.filter, one.value.trim()]));
const show = () => {
  const more = element.querySelector('.filter-more');
  const count = [...more.querySelectorAll('[data-filter]')].filter((one) => one.value).length;
  element.querySelector('[data-more]').textContent = count ? 'More filters, ' + count + ' set' : 'More filters';
  const names = Object.keys(said()).filter((name) => name !== 'sort');
  element.querySelector('[data-clear]').hidden = !names.length;
  for (const one of fields()) one.classList.toggle('is-set', !!one.value);
};
const ask = () => {
  clearTimeout(timer);
  show();
  const params = said();
  for (const one of fields()) studio.setParam(one.dataset.filter, params[one.dataset.filter] || null);
  trigger('filter', {params});
};
const fill = (params) => {
  for (const one of fields()) {
    const value = params.get(one.dataset.filter) || '';
    if (one.tagName === 'SELECT' && value && ![...one.options].some((option) => option.value === value))
      one.add(new Option(value, value));
    one.value = value;
  }
  ask();
};
const toggle = (open) => {
  element.querySelector('.filter-more').hidden = !open;
  element.querySelector('[data-more]').setAttribute('aria-expanded', open);
};
const named = (box) => ({name: box.querySelector('[data-name]').value, shared: box.querySelector('[data-shared]').checked, params: said()});
const change = (button) => {
  const box = button.closest('.saved-filter').nextElementSibling;
  box.hidden = !box.hidden;
  button.setAttribute('aria-expanded', !box.hidden);
  if (!box.hidden) box.querySelector('[data-name]').focus();
};
const pull = (sheet) => { // into the window, where the menu opens at its edge
  sheet.style.left = '0px';
  sheet.style.left = Math.min(0, document.documentElement.clientWidth - 8 - sheet.getBoundingClientRect().right) + 'px';
};
element.addEventListener('toggle', (event) => { if (event.target.open) pull(event.target.querySelector('.menu-sheet')); }, true);
element.addEventListener('submit', (event) => { event.preventDefault(); ask(); });
element.addEventListener('change', (event) => { if (event.target.matches('[data-filter]')) ask(); });
element.addEventListener('input', (event) => {
  if (!event.target.matches('#search')) return;
  clearTimeout(timer);
  timer = setTimeout(ask, 300);
});
element.addEventListener('click', (event) => {
  const at = (selector) => event.target.closest(selector);
  if (at('[data-more]')) return toggle(element.querySelector('.filter-more').hidden);
  if (at('[data-clear]')) return fill(new URLSearchParams());
  if (at('[data-query]')) {
    element.querySelector('.filter-saved').open = false;
    return fill(new URLSearchParams(at('[data-query]').dataset.query));
  }
  if (at('[data-forget]')) return trigger('forget', {id: Number(at('[data-forget]').dataset.forget)});
  if (at('[data-change]')) return change(at('[data-change]'));
  const box = at('.saved-new');
  if (at('[data-put]')) {
    const refill = box.querySelector('[data-refill]').checked;
    trigger('change_saved', {id: Number(at('[data-put]').dataset.put), refill, ...named(box)});
  }
  if (at('[data-save]')) trigger('save', named(box));
});
element.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || !event.target.matches('[data-name]')) return;
  event.preventDefault();
  event.target.closest('.saved-new').querySelector('.secondary-btn').click();
});
watch('value', () => {
  show();
  if ([...element.querySelectorAll('.filter-more [data-filter]')].some((one) => one.value)) toggle(true);
});
