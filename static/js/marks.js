// A tapped mark shows at once. The server's answer confirms it; a failure puts the old one back.
(() => {
  "use strict";
  const DOUBLE_TAP = 350; // ms: a nervous thumb means one tap
  const forms = new WeakMap(); // form -> { saved, wanted, tapped, at }

  const shown = (form) =>
    form.querySelector('button[aria-pressed="true"]')?.dataset.value ?? "";
  const show = (form, value) => {
    for (const button of form.querySelectorAll("button[data-value]")) {
      button.setAttribute("aria-pressed", String(button.dataset.value === value));
    }
  };
  const known = (event) => forms.get(event.detail.elt);

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-marks] button[data-value]");
    if (!button) return;
    const form = button.form;
    const state = forms.get(form) ?? { saved: shown(form), tapped: "", at: -DOUBLE_TAP };
    const value = button.dataset.value;
    if (state.tapped === value && event.timeStamp - state.at < DOUBLE_TAP) {
      event.preventDefault();
      return;
    }
    state.tapped = value;
    state.at = event.timeStamp;
    state.name = button.name;
    // What is wanted is read off the screen, which may be ahead of the server.
    state.wanted = shown(form) === value ? "" : value;
    forms.set(form, state);
    show(form, state.wanted);
  });

  document.addEventListener("htmx:configRequest", (event) => {
    const state = known(event);
    if (state) event.detail.parameters[state.name] = state.wanted;
  });

  // A tap that waited for the one before it was hidden by that one's answer: show it again.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const state = known(event);
    if (state) show(event.detail.elt, state.wanted);
  });

  // Answers to quick taps may overtake each other: older counts must not replace newer ones.
  let newest = 0;
  let overtaken = false;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const at = Number(event.detail.xhr?.getResponseHeader("X-Counted-At"));
    overtaken = at > 0 && at < newest;
    newest = Math.max(newest, at);
  });
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (overtaken) event.detail.shouldSwap = false;
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const state = known(event);
    if (!state) return;
    const form = event.detail.elt;
    if (event.detail.successful) state.saved = shown(form);
    else if (![409, 422].includes(event.detail.xhr.status)) show(form, state.saved);
  });
})();
