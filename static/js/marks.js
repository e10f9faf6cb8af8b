// A tapped mark shows at once and is sent as what is wanted, not as a tap; wishes.js brings it to the
// server, and what the server refuses is put back. The focus stays on the button.
(() => {
  "use strict";
  const DOUBLE_TAP = 350; // ms: a nervous thumb means one tap
  let last = { id: "", at: -DOUBLE_TAP };

  const shown = (form) => form.querySelector('button[aria-pressed="true"]')?.dataset.value ?? "";

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-marks] button[data-value]");
    if (!button) return;
    event.preventDefault();
    const again = last.id === button.id && event.timeStamp - last.at < DOUBLE_TAP;
    last = { id: button.id, at: event.timeStamp };
    if (again) return;
    const { form, name, dataset: { value } } = button;
    // What is wanted is read off the screen, which may be ahead of the server.
    const saved = shown(form);
    const wanted = saved === value ? "" : value;
    const detail = { address: form.dataset.marks, name, saved, wanted };
    document.dispatchEvent(new CustomEvent("wish:made", { detail }));
  });

  document.addEventListener("wish:show", ({ target, detail: { value } }) => {
    for (const button of target.querySelectorAll("button[data-value]")) {
      button.setAttribute("aria-pressed", String(button.dataset.value === value));
    }
  });
})();
