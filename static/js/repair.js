// After a row is repaired the next one that needs it is a key press away.
(() => {
  "use strict";
  let repaired = null;

  document.addEventListener("row:repaired", ({ target }) => {
    repaired = target.closest("tr")?.id ?? null;
  });

  document.addEventListener("htmx:afterSettle", () => {
    if (!repaired) return;
    let row = document.getElementById(repaired);
    repaired = null;
    const own = row?.querySelector("[tabindex]");
    while ((row = row?.nextElementSibling)) {
      const next = row.querySelector("[data-repair]");
      if (next) return next.focus();
    }
    own?.focus();
  });
})();
