"""Every answer reaches its page, however closely events follow one another."""

from playwright.sync_api import expect

from db.enums import Role
from tests.e2e.conftest import log_in, open_page

# What a busy machine does: each piece of the event stream reaches the page's code 700 ms late, in order.
LATE_STREAM = """
const prompt = window.fetch;
window.fetch = async (...request) => {
  const answer = await prompt(...request);
  const url = String(request[0].url || request[0]);
  if (!url.includes('/queue/data')) return answer;
  const late = new TransformStream({
    async transform(chunk, out) {
      await new Promise((done) => setTimeout(done, 700));
      out.enqueue(chunk);
    },
  });
  return new Response(answer.body.pipeThrough(late), answer);
};
"""


def test_an_event_that_begins_while_the_stream_is_closing_is_answered(studio, browser):
    cookies = log_in(studio, ("nora", "Nora Aasen", [Role.AUTHOR]))
    nora = open_page(browser, studio)
    nora.context.add_cookies([cookies["nora"]])
    nora.context.add_init_script(LATE_STREAM)
    nora.goto("/curate")
    rows = nora.locator(".item")
    expect(rows).to_have_count(50)
    rows.first.click()
    # The answer is on its way, the server has closed its stream, and the page does not know yet.
    nora.wait_for_timeout(400)
    nora.locator("#new-btn").click()
    expect(nora.locator(".record-head")).to_contain_text("New instruction")
