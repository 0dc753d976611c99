// The keyboard. Every shortcut presses a button, or goes to a place, that has a name on the page as well.
(() => {
  const seen = (selector) => [...document.querySelectorAll(selector)].find((node) => node.offsetParent && !node.disabled);
  const press = (selector) => () => seen(selector).click();
  const focus = (selector) => () => seen(selector).focus();
  const step = (by) => () => {
    const rows = [...document.querySelectorAll('.item')].filter((row) => row.offsetParent);
    const open = rows.findIndex((row) => row.hasAttribute('aria-current'));
    const next = rows[open < 0 ? 0 : open + by];
    if (!next) return;
    next.click();
    next.scrollIntoView({ block: 'nearest' });
  };
  const tick = () => {
    const row = [...document.querySelectorAll('.item[aria-current]')].find((one) => one.offsetParent);
    const box = row && row.closest('li').querySelector('[data-tick]');
    if (box) box.click();
  };
  // key, what it does, the place on the page it needs, the act; `ctrl` also works while someone types.
  const SHORTCUTS = [
    { key: 'j', does: 'Open the next record', needs: '.item', act: step(1) },
    { key: 'k', does: 'Open the record before', needs: '.item', act: step(-1) },
    { key: '/', does: 'Search', needs: '#search', act: focus('#search') },
    { key: 'x', does: 'Tick the open record', needs: '[data-tick]', act: tick },
    { key: 'm', does: 'Remark on the selected text', needs: '.remark-new textarea', act: () => studio.remark() },
    { key: 'n', does: 'New instruction', needs: '#new-btn', act: press('#new-btn') },
    { key: 'e', does: 'Edit the open record', needs: '#field-instruction textarea', act: focus('#field-instruction textarea') },
    { key: 'e', does: 'Edit the open record', needs: '[data-edit]', act: press('[data-edit]') },
    { key: 'n', does: 'New run', needs: '#new-run-btn', act: press('#new-run-btn') },
    { key: 'n', does: 'Add an endpoint', needs: '#add-endpoint-btn', act: press('#add-endpoint-btn') },
    { key: 'e', does: 'Edit the open endpoint', needs: '#edit-btn', act: press('#edit-btn') },
    { key: 't', does: 'Test the open endpoint', needs: '#test-btn', act: press('#test-btn') },
    { key: 'a', does: 'Approve', needs: '#approve-btn, #settle-approve-btn', act: press('#approve-btn, #settle-approve-btn') },
    { key: 'c', does: 'Request changes', needs: '#changes-btn, #settle-changes-btn', act: press('#changes-btn, #settle-changes-btn') },
    { key: 'r', does: 'Reject', needs: '#reject-btn, #settle-reject-btn', act: press('#reject-btn, #settle-reject-btn') },
    { key: 's', ctrl: true, does: 'Save', needs: '#save-btn', act: press('#save-btn') },
    { key: 'Enter', ctrl: true, does: 'Submit for review', needs: '#submit-btn', act: press('#submit-btn') },
    { key: 'Enter', ctrl: true, does: 'Compare', needs: '#compare-btn', act: press('#compare-btn') },
    { key: '1', does: 'A is better', needs: '.ballot-bar [data-choice="left"]', act: press('.ballot-bar [data-choice="left"]') },
    { key: '2', does: 'B is better', needs: '.ballot-bar [data-choice="right"]', act: press('.ballot-bar [data-choice="right"]') },
    { key: '3', does: 'Equally good', needs: '.ballot-bar [data-choice="tie"]', act: press('.ballot-bar [data-choice="tie"]') },
    { key: '4', does: 'Both are bad', needs: '.ballot-bar [data-choice="both_bad"]', act: press('.ballot-bar [data-choice="both_bad"]') },
    { key: 'u', does: 'Change the last vote', needs: '[data-undo-vote]', act: press('[data-undo-vote]') },
    { key: 'Escape', does: 'Close the open row', needs: '[data-close-row]', act: press('[data-close-row]') },
    { key: '?', does: 'Show these shortcuts', needs: '[data-keys]', act: () => sheet() },
  ];
  const make = (tag, attributes, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const names = ({ ctrl, key }) => [...(ctrl ? [make('kbd', {}, 'Ctrl')] : []), make('kbd', {}, key)];
  const sheet = () => {
    const here = SHORTCUTS.filter((shortcut) => seen(shortcut.needs));
    const rows = here.flatMap((shortcut) => [make('dt', {}, ...names(shortcut)), make('dd', {}, shortcut.does)]);
    const close = make('button', { type: 'submit', class: 'quiet-btn' }, 'Close');
    const dialog = make('dialog', { class: 'keys-sheet', 'aria-label': 'Keyboard shortcuts' },
      make('form', { method: 'dialog' }, make('h2', {}, 'Keyboard shortcuts'), close), make('dl', {}, ...rows));
    dialog.addEventListener('close', () => dialog.remove());
    dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
    document.querySelector('.gradio-container').append(dialog);
    dialog.showModal();
  };
  document.addEventListener('keydown', (event) => {
    const ctrl = event.ctrlKey || event.metaKey;
    const typing = event.target.closest('input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]');
    if (event.altKey || event.repeat || document.querySelector('dialog[open]') || (typing && !ctrl)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const found = SHORTCUTS.find((shortcut) => shortcut.key === key && !!shortcut.ctrl === ctrl && seen(shortcut.needs));
    if (!found) return;
    event.preventDefault();
    found.act();
  }, true);
  document.addEventListener('click', (event) => { if (event.target.closest('[data-keys]')) sheet(); });
})();
