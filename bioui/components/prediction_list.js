const open = (item) => {
  for (const other of element.querySelectorAll('.item[aria-current]')) other.removeAttribute('aria-current');
  item.setAttribute('aria-current', 'true');
  studio.setParam('row', item.dataset.id);
  trigger('open', {id: Number(item.dataset.id)});
};
element.addEventListener('click', (event) => {
  const turn = event.target.closest('[data-turn]');
  if (turn) {
    studio.setParam('row', null);
    return turn.dataset.turn === 'older' ? trigger('older', {}) : trigger('newer', {});
  }
  const item = event.target.closest('.item');
  if (!item || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(item);
});
element.addEventListener('keydown', (event) => {
  const item = event.target.closest('.item');
  const step = {ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling'}[event.key];
  const next = item && step && item.closest('li')[step];
  if (!next) return;
  event.preventDefault();
  next.querySelector('.item').focus();
  open(next.querySelector('.item'));
});
