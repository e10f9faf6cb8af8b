// The check page: what changes the numbers is read again at once, and the page comes back where it was.
(() => {
  "use strict";
  const IDENTITY = ["username", "name", "phone"];
  const KEY = "recheck";
  const form = document.querySelector("form[data-recheck]");
  if (!form) return;
  const again = document.querySelector(`button[formaction="${CSS.escape(form.dataset.recheck)}"]:not([name])`);
  const table = document.querySelector(".preview .table-container");
  const before = new Map([...form.elements].filter((field) => field.matches("select")).map((field) => [field, field.value]));

  // A role that one column may have leaves the column that had it.
  function takeFrom(chosen) {
    for (const field of before.keys()) {
      if (field !== chosen && field.name.startsWith("role") && field.value === chosen.value) field.value = "";
    }
  }

  function readAgain(field) {
    const place = { page: location.pathname, field: field.id, left: table?.scrollLeft ?? 0 };
    sessionStorage.setItem(KEY, JSON.stringify(place));
    form.requestSubmit(again);
  }

  // Each arrow key is a change: whoever chooses with keys has chosen once they leave the field.
  let keyed = null;
  let chosen = null;
  document.addEventListener("keydown", ({ target }) => { keyed = before.has(target) ? target : null; });
  document.addEventListener("pointerdown", () => { keyed = null; });

  document.addEventListener("change", ({ target }) => {
    if (!before.has(target)) return;
    const role = target.name.startsWith("role");
    const counts = !role || IDENTITY.includes(target.value) || IDENTITY.includes(before.get(target));
    // While the rows are counted the page will come anew, and would forget a choice that is only on it.
    chosen = counts || "counting" in form.dataset ? target : null;
    if (chosen && keyed !== target) leave();
  });
  document.addEventListener("focusout", ({ target }) => {
    if (chosen === target) leave();
  });

  function leave() {
    const field = chosen;
    chosen = null;
    if (field.value === before.get(field)) return;
    if (field.name.startsWith("role") && IDENTITY.includes(field.value)) takeFrom(field);
    readAgain(field);
  }

  const place = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  if (place?.page !== location.pathname) return;
  sessionStorage.removeItem(KEY);
  if (table) table.scrollLeft = place.left;
  document.getElementById(place.field)?.focus({ preventScroll: true });
})();
