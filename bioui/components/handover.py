"""A one-time link to hand to someone: shown once, with a button that copies it."""

from bioui.components.view import View

TEMPLATE = """
{{#if value.url}}<div class="notice notice-approved" role="status">
  <span class="notice-mark" aria-hidden="true">✓</span>
  <div class="notice-body"><h3>A link for {{value.who}}</h3>
  <p>Hand it over by a safe way. It works once, for three days, and is not shown again.</p>
  <p class="handover"><code data-url>{{value.url}}</code>
    <button type="button" class="page-btn" data-copy>Copy</button></p></div></div>{{/if}}
"""
NO_LINK = {"url": "", "who": ""}
ON_LOAD = """
element.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-copy]');
  if (!button) return;
  const url = element.querySelector('[data-url]');
  try { await navigator.clipboard.writeText(url.textContent); button.textContent = 'Copied'; }
  catch { getSelection().selectAllChildren(url); }
});
"""


def handover() -> View:
    return View(TEMPLATE, NO_LINK, on_load=ON_LOAD)


def handover_value(url: str, who: str) -> dict[str, str]:
    return {"url": url, "who": who}
