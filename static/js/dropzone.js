// A file for the upload form: dropped onto it or chosen, and a wrong one refused before it travels.
(() => {
  "use strict";
  const MB = 1024 * 1024;

  function judge(input) {
    const file = input.files[0];
    let wrong = "";
    if (file) {
      const name = file.name.toLowerCase();
      if (!input.accept.split(",").some((kind) => name.endsWith(kind))) wrong = input.dataset.wrongKind;
      else if (!file.size) wrong = input.dataset.empty;
      else if (file.size > Number(input.dataset.limitMb) * MB) wrong = input.dataset.tooLarge;
    }
    input.setCustomValidity(wrong);
    if (wrong) input.reportValidity();
    return !wrong;
  }

  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      const zone = event.target.closest?.("[data-drop]");
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

  window.uploading.judge = judge;
})();
