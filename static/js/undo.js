// Takes back what was done on this page, the last first: by the toast's button or the key that
// presses [data-undo].
(() => {
  "use strict";
  const MOST = 50;
  const done = []; // addresses, the last one at the end
  let taking = Promise.resolve();

  const take = (address) => {
    const place = done.lastIndexOf(address);
    if (place >= 0) done.splice(place, 1);
    document.querySelector(`#toasts [data-undo="${CSS.escape(address)}"]`)?.remove();
    // One after the other: the second must find what the first left.
    taking = taking
      .then(() => htmx.ajax("POST", address, { source: document.body, swap: "none" }))
      .catch(() => { done.push(address); });
  };

  document.addEventListener("toast:show", ({ detail: { undo } }) => {
    if (!undo) return;
    done.push(undo);
    if (done.length > MOST) done.shift();
  });
  document.addEventListener("undo:take", ({ detail: { address } }) => take(address));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-undo-last]");
    if (!button) return;
    // What waits for the line is taken back without it.
    if (!document.dispatchEvent(new CustomEvent("undo:wanted", { cancelable: true }))) return;
    // Several at once were marked before this page was loaded: it says so, with a button of its own.
    const before = document.querySelector("form.undone");
    if (done.length) take(done.at(-1));
    else if (before) before.requestSubmit();
    else document.dispatchEvent(new CustomEvent("toast:show", { detail: { text: button.dataset.none, tone: "info" } }));
  });
})();
