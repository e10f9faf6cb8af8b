// Selecting rows of a table for one decision: all at once, how many, and how much that is.
(() => {
  "use strict";

  // Not form.id: a box named "id" would stand in its place.
  const idOf = (form) => form.getAttribute("id");
  const boxes = (form) => [...document.querySelectorAll(`input[type=checkbox][form="${idOf(form)}"]`)];
  const number = (value) => value.toLocaleString(document.documentElement.lang);

  const paint = () => {
    for (const form of document.querySelectorAll("form.bulk, form.markbar")) {
      const all = boxes(form);
      const chosen = all.filter((box) => box.checked);
      const count = form.querySelector("[data-bulk-count]");
      count.textContent =
        chosen.length === 1 ? count.dataset.one : count.dataset.many.replace("#", number(chosen.length));
      if (form.matches(".bulk")) {
        const records = chosen.reduce((sum, box) => sum + Number(box.dataset.records || 0), 0);
        form.hidden = chosen.length === 0;
        const sum = form.querySelector("[data-bulk-sum]");
        sum.textContent = "· " + sum.dataset.text.replace("#", number(records));
        const button = form.querySelector("[data-label]");
        button.textContent = button.dataset.label.replace("#", number(records));
      } else {
        // There is no room for both on a phone. "All that are shown" says its number itself.
        const counts = chosen.length > 0 && !form.querySelector("input[name=all]").checked;
        count.hidden = !counts;
        form.querySelector("[data-bulk-none]").hidden = counts;
      }
      const master = document.querySelector(`[data-bulk="${idOf(form)}"] [data-bulk-all]`);
      if (master) {
        master.checked = all.length > 0 && chosen.length === all.length;
        master.indeterminate = chosen.length > 0 && chosen.length < all.length;
      }
    }
  };

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-bulk-all]")) {
      const form = document.getElementById(event.target.closest("[data-bulk]").dataset.bulk);
      for (const box of boxes(form)) box.checked = event.target.checked;
    }
    if (event.target.matches("input[type=checkbox]")) paint();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-bulk-clear]")) return;
    for (const box of boxes(event.target.closest("form"))) box.checked = false;
    paint();
  });
  document.addEventListener("DOMContentLoaded", paint);
  document.addEventListener("htmx:load", paint);
})();
