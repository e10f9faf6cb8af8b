// A thin line at the top once an answer is late, so that a slow network does not look like a dead button.
(() => {
  const line = document.getElementById("topline");
  if (!line) return;
  const waiting = new Set();
  let timer;

  document.addEventListener("htmx:beforeRequest", ({ detail: { elt, xhr } }) => {
    // A poll is nobody's click.
    if (elt.closest("[data-quiet]")) return;
    waiting.add(xhr);
    timer ??= setTimeout(() => { line.hidden = false; }, 300);
  });
  for (const end of ["htmx:afterRequest", "htmx:sendAbort"]) {
    document.addEventListener(end, ({ detail: { xhr } }) => {
      waiting.delete(xhr);
      if (waiting.size) return;
      clearTimeout(timer);
      timer = undefined;
      line.hidden = true;
    });
  }
})();
