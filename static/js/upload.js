// The upload form: drop a file onto it, refuse a wrong one before it travels, show how far it is.
(() => {
  "use strict";

  const kinds = (input) => input.accept.split(",");

  function judge(input) {
    const file = input.files[0];
    let wrong = "";
    if (file) {
      const name = file.name.toLowerCase();
      if (!kinds(input).some((kind) => name.endsWith(kind))) wrong = input.dataset.wrongKind;
      else if (file.size > Number(input.dataset.limitMb) * 1024 * 1024) wrong = input.dataset.tooLarge;
    }
    input.setCustomValidity(wrong);
    if (wrong) input.reportValidity();
    return !wrong;
  }

  document.addEventListener("change", (event) => {
    const input = event.target;
    const form = input.closest && input.closest("form[data-upload]");
    if (!form || input.type !== "file" || !judge(input) || !input.files[0]) return;
    const name = form.elements.namedItem("name");
    if (name && (!name.value || name.dataset.filled === name.value)) {
      // Only a name that nobody typed follows the file.
      name.value = name.dataset.filled = input.files[0].name.replace(/\.[^.]+$/, "").slice(0, 120);
    }
  });

  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      const zone = event.target.closest && event.target.closest("[data-drop]");
      if (!zone) return;
      event.preventDefault();
      zone.classList.toggle("over", kind === "dragover");
      const input = zone.querySelector("input[type=file]");
      if (kind === "drop" && event.dataTransfer.files.length) {
        input.files = event.dataTransfer.files;
        input.dispatchEvent(new Event("change", { bubbles: true }));
      }
    });
  }

  document.addEventListener("htmx:xhr:progress", (event) => {
    const form = event.target.closest && event.target.closest("form[data-upload]");
    if (!form || !event.detail.lengthComputable) return;
    const share = Math.round((event.detail.loaded / event.detail.total) * 100);
    const sending = form.querySelector("[data-sending]");
    sending.hidden = false;
    sending.querySelector("progress").value = share;
    sending.querySelector("[data-sent]").textContent = `${share}%`;
  });

  // The form stays as it is when the connection breaks; the bar must not pretend to go on.
  for (const kind of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    document.addEventListener(kind, (event) => {
      const form = event.target.closest && event.target.closest("form[data-upload]");
      if (form) form.querySelector("[data-sending]").hidden = true;
    });
  }
})();
