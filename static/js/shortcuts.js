// Single keys for those who work without a mouse, from what carries data-key; never while typing, and
// not at all for who switched them off in the profile. `j` and `k` go through the rows of the page; a
// key inside a row means the row one is in. Ctrl+Enter sends the form one writes in.
(() => {
  "use strict";
  const FIRST = 1_200; // ms: how long a `g` waits for its second key
  const TYPING = "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable]";
  const mouse = matchMedia("(pointer: fine)");
  const off = document.documentElement.classList.contains("nokeys");
  let first = { key: "", at: -FIRST };

  // What is hidden itself is there for its key only.
  const seen = (element) => element.hidden || element.checkVisibility();
  const rows = () => [...document.querySelectorAll("[data-rows] > tbody > tr")].filter(seen);
  const current = () => document.activeElement.closest("[data-rows] > tbody > tr")
    ?? document.querySelector("[data-rows] > tbody > tr.cur");

  const mark = (row) => {
    for (const other of document.querySelectorAll("[data-rows] > tbody > tr.cur")) other.classList.remove("cur");
    row.classList.add("cur");
  };
  const move = (step) => {
    const all = rows();
    const at = all.indexOf(current());
    const row = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + step))];
    if (!row) return false;
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
    return true;
  };
  // The row that the keys mean is the one that looks like it.
  document.addEventListener("focusin", ({ target }) => {
    const row = target.closest?.("[data-rows] > tbody > tr");
    if (row && mouse.matches && !off) mark(row);
  });

  const find = (key) => {
    const all = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].filter(seen);
    const row = current();
    const around = all.filter((element) => !element.closest("[data-rows] > tbody > tr"));
    // A field of this page before a link to one elsewhere.
    return all.find((element) => row?.contains(element))
      ?? around.find((element) => element.matches("input"))
      ?? around[0];
  };
  const press = (key) => {
    const wanted = find(key);
    if (!wanted) return false;
    if (wanted.matches("input:not([type=checkbox])")) {
      wanted.focus();
      wanted.select();
    } else {
      wanted.click();
    }
    return true;
  };

  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (key === "Enter" && event.ctrlKey && !event.isComposing) target.form?.requestSubmit();
    if (off || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (target.closest?.(TYPING) || document.querySelector("dialog[open]")) return;
    // Enter on what can be pressed is its own.
    if (key === "Enter" && target.closest?.("a, button, summary, label, input")) return;
    let done;
    if (key === "j" || key === "k") {
      done = move(key === "j" ? 1 : -1);
    } else if (event.repeat) {
      return; // a key held down is one tap
    } else if (first.key && event.timeStamp - first.at < FIRST) {
      done = press(`${first.key} ${key}`);
      first.key = "";
    } else if (key === "?") {
      list();
      document.getElementById("keys").showModal();
      done = true;
    } else if (key === "g") {
      first = { key, at: event.timeStamp };
    } else {
      done = press(key);
    }
    if (done) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest('[data-dialog="keys"]')) list();
  });

  // The list of keys names those that mean something on this page.
  function list() {
    for (const line of document.querySelectorAll("#keys [data-for]")) {
      line.hidden = !document.querySelector(line.dataset.for);
    }
    for (const group of document.querySelectorAll("#keys section")) {
      group.hidden = !group.querySelector("[data-for]:not([hidden])");
    }
  }
})();
