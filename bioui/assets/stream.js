// No answer is lost between two streams. Gradio (6.31) ends its event stream once nothing is pending; an event
// that joins the queue before its page has read that ending is then never heard of again (its button seems
// dead until the next press). Here the ending is held back while an answer is owed, and the next stream is read
// on as if it were the same one.
(() => {
  const send = window.fetch.bind(window);
  const owed = new Set(); // ids of events that joined the queue and have not completed
  const early = new Set(); // ids of those that completed before the page was told that they had joined
  const joining = new Set(); // promises of ids still to come
  let closing = Promise.resolve(); // until the page has read an ending that was let through

  const note = async (answer) => {
    const response = await answer;
    if (!response.ok) return;
    const { event_id: id } = await response.clone().json();
    if (!early.delete(id)) owed.add(id);
  };
  const join = async (request) => {
    const answer = send(...request);
    const noted = note(answer).catch(() => {}); // a request that failed is the page's to tell
    joining.add(noted);
    await noted;
    joining.delete(noted);
    await closing;
    return answer;
  };

  // The messages of one stream into `out`; false when its ending was held back.
  const pour = async (response, out, signal) => {
    if (!response.ok) throw new Error('The event stream answered ' + response.status + '.');
    const pieces = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (let piece = await pieces.read(); !piece.done; piece = await pieces.read()) {
      const messages = (rest + piece.value).split('\n\n');
      rest = messages.pop();
      for (const message of messages) {
        const { msg, event_id: id } = JSON.parse(message.slice('data: '.length));
        if (msg === 'process_completed' && !owed.delete(id)) early.add(id);
        if (msg === 'close_stream') {
          while (joining.size) await Promise.all(joining);
          if (owed.size) return false;
          closing = new Promise((done) => { signal.addEventListener('abort', done); setTimeout(done, 1000); });
        }
        out.enqueue(new TextEncoder().encode(message + '\n\n'));
      }
    }
    return true;
  };
  const listen = async (request) => {
    const first = await send(request.clone());
    if (!first.ok) return first;
    const start = async (out) => {
      try {
        for (let next = first; !(await pour(next, out, request.signal)); next = await send(request.clone()));
        out.close();
      } catch (error) {
        out.error(error);
      }
    };
    return new Response(new ReadableStream({ start }), first);
  };

  window.fetch = (...request) => {
    const path = new URL(request[0].url || request[0], location.href).pathname;
    if (path.endsWith('/queue/join')) return join(request);
    return path.endsWith('/queue/data') ? listen(new Request(...request)) : send(...request);
  };
})();
