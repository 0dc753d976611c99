// Light and dark, and the messages at a form's fields. Loaded by every page, Gradio's and our own.
(() => {
  const KEY = 'studio-theme';
  const system = window.matchMedia('(prefers-color-scheme: dark)');
  const wanted = () => (localStorage.getItem(KEY) || (system.matches ? 'dark' : 'light')) === 'dark';
  const apply = () => {
    document.documentElement.style.colorScheme = wanted() ? 'dark' : 'light';
    if (document.body.classList.contains('dark') !== wanted()) document.body.classList.toggle('dark', wanted());
  };
  const begin = () => {
    apply();
    // Gradio sets the class by the system's preference; the person's choice goes before it.
    new MutationObserver(apply).observe(document.body, { attributes: true, attributeFilter: ['class'] });
    system.addEventListener('change', apply);
  };
  document.body ? begin() : document.addEventListener('DOMContentLoaded', begin);

  document.addEventListener('click', (event) => {
    if (event.target.closest('[data-skip]')) {
      const main = document.getElementById('main');
      main.tabIndex = -1;
      main.focus();
    }
    if (event.target.closest('[data-theme-toggle]')) {
      localStorage.setItem(KEY, wanted() ? 'light' : 'dark');
      apply();
    }
    for (const menu of document.querySelectorAll('details.menu[open]')) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  // A button with data-copy puts that text on the clipboard and says so for a moment.
  document.addEventListener('click', async (event) => {
    const button = event.target.closest('[data-copy]');
    if (!button) return;
    event.stopPropagation();
    if (!navigator.clipboard) return window.prompt('Copy this:', button.dataset.copy); // plain http
    await navigator.clipboard.writeText(button.dataset.copy);
    const word = button.textContent;
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = word; }, 1200);
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    for (const menu of document.querySelectorAll('details.menu[open]')) {
      menu.open = false;
      menu.querySelector('summary').focus();
    }
  });

  const setFold = (fold, open) => {
    fold.toggleAttribute('data-open', open);
    fold.querySelector('[data-fold]').setAttribute('aria-expanded', open);
  };
  document.addEventListener('click', (event) => {
    const fold = event.target.closest('[data-fold]')?.closest('.fold');
    if (fold) setFold(fold, !fold.hasAttribute('data-open'));
  });

  const clearField = () => {
    for (const note of document.querySelectorAll('.field-error[data-live]')) note.remove();
    for (const input of document.querySelectorAll('[aria-invalid="true"]')) {
      input.removeAttribute('aria-invalid');
      input.removeAttribute('aria-describedby');
    }
  };
  const showProblem = (area) => {
    clearField();
    const box = area.querySelector('.problem');
    if (!box) return;
    const block = box.dataset.slug && document.getElementById('field-' + box.dataset.slug);
    const fold = block && block.closest('.fold');
    if (fold) setFold(fold, true);
    const input = block && block.querySelector('textarea, input');
    if (!input) return box.scrollIntoView({ block: 'nearest' });
    const note = document.createElement('p');
    note.className = 'field-error';
    note.dataset.live = '';
    note.id = block.id + '-error';
    note.textContent = box.querySelector('[data-text]').textContent;
    box.classList.add('sr-only');
    block.append(note);
    input.setAttribute('aria-invalid', 'true');
    input.setAttribute('aria-describedby', note.id);
    // A list of choices opens when it gets the focus, and would hide the very note.
    if (/^(combobox|listbox)$/.test(input.getAttribute('role'))) block.scrollIntoView({ block: 'center' });
    else input.focus();
  };
  // ?name=value in the address bar, so that what is open can be linked to; null takes it away.
  const setParam = (name, value) => {
    const url = new URL(window.location.href);
    value === null || value === '' ? url.searchParams.delete(name) : url.searchParams.set(name, value);
    history.replaceState(history.state, '', url);
  };
  // Opens the tab that the address names (?tab=), as a press on it does: a choice made on the server can come
  // before Gradio's tabs know of one another, and is lost then.
  const tabAsked = new URLSearchParams(window.location.search).get('tab'); // read before Gradio opens the first tab
  const openTab = () => {
    const tabs = [...document.querySelectorAll('[role="tab"][data-tab-id]')];
    tabs.find((tab) => tab.dataset.tabId === tabAsked && tab.offsetParent)?.click();
  };
  // Brings what was just opened into view, where it is not; for lists whose detail stacks on narrow screens.
  const reveal = (id) => requestAnimationFrame(() => {
    const box = document.getElementById(id);
    if (box && (box.getBoundingClientRect().top < 0 || box.getBoundingClientRect().top > innerHeight * 0.6)) {
      box.scrollIntoView({ block: 'start', behavior: 'smooth' });
    }
  });
  window.studio = { openTab, reveal, clearField, showProblem, setParam };
})();
