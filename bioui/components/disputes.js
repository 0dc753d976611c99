element.addEventListener('click', (event) => {
  const open = event.target.closest('.dispute-open'), choice = event.target.closest('[data-choice]');
  if (open) {
    const body = open.nextElementSibling;
    body.hidden = !body.hidden;
    open.setAttribute('aria-expanded', !body.hidden);
  }
  if (choice) {
    for (const each of choice.parentElement.children) each.setAttribute('aria-pressed', each === choice);
  }
});
element.addEventListener('submit', (event) => {
  event.preventDefault();
  const form = event.target.closest('form');
  trigger('settle', {
    pair: Number(form.closest('[data-pair]').dataset.pair),
    choice: form.querySelector('[aria-pressed="true"]')?.dataset.choice || '',
    reason: form.querySelector('textarea').value.trim(),
  });
});
