// Copies what a button carries in data-copy and says so for two seconds. Where the browser does not
// allow it (a page without TLS, a refused permission), a selected text field appears instead.
// Copying and opening are told to the address in data-attempt, without holding anybody up.
(() => {
  "use strict";
  const SHOWN = 2000; // ms
  const wide = window.matchMedia("(min-width: 64rem)");
  const timers = new WeakMap();

  const say = (text) => {
    const region = document.getElementById("polite");
    if (!region) return;
    region.textContent = "";
    requestAnimationFrame(() => { region.textContent = text; });
  };

  const confirm = (button) => {
    const words = button.closest("[data-copied]")?.dataset ?? {};
    const label = button.querySelector(".say");
    const icon = button.querySelector("use");
    clearTimeout(timers.get(button)?.id);
    const before = timers.get(button)?.before ?? [...label.childNodes];
    button.dataset.done = "";
    label.textContent = (wide.matches && words.copiedShort) || words.copied;
    icon?.setAttribute("href", "#i-copied");
    say(`${words.copied}, ${button.dataset.name ?? ""}`);
    const id = setTimeout(() => {
      delete button.dataset.done;
      label.replaceChildren(...before);
      icon?.setAttribute("href", "#i-copy");
      timers.delete(button);
    }, SHOWN);
    timers.set(button, { id, before });
  };

  const offer = (button) => {
    const box = button.parentElement;
    let field = box.parentElement.querySelector("input[data-link]");
    if (!field) {
      field = document.createElement("input");
      field.className = "input num";
      field.dataset.link = "";
      field.readOnly = true;
      field.setAttribute("aria-label", button.getAttribute("aria-label"));
      box.after(field);
    }
    field.value = button.dataset.copy;
    field.focus();
    field.select();
    // Old, but the only way without TLS.
    if (document.execCommand("copy")) {
      field.remove();
      button.focus();
      confirm(button);
    }
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    if (!navigator.clipboard) {
      offer(button);
      return;
    }
    navigator.clipboard.writeText(button.dataset.copy).then(
      () => confirm(button),
      () => offer(button),
    );
  });
})();
