// Puts a field into the text where the cursor stands, the cursor behind its bar: the fallback is typed next.
(() => {
  "use strict";
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("button[data-insert]");
    const area = button && document.getElementById(button.dataset.into);
    if (!area) return;
    const text = button.dataset.insert;
    const at = area.selectionStart;
    area.setRangeText(text, at, area.selectionEnd, "end");
    area.focus();
    area.setSelectionRange(at + text.length - 1, at + text.length - 1);
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
