// The upload form: sends the file that was chosen while the rest is filled in.
(() => {
  "use strict";
  const { Refused } = window.sendInPieces;
  const { judge, gauge, fill, part } = window.uploading;
  let running = null; // the file on its way: { form, sending, submit }

  const uploadOf = (element) => element.closest?.("form[data-upload]");
  function show(form, name, shown) {
    part(form, name).hidden = !shown;
  }

  function stop() {
    if (!running) return;
    const { form, sending } = running;
    running = null;
    sending.cancel();
    show(form, "sending", false);
    show(form, "goes-on", false);
  }

  async function begin(form, input) {
    stop();
    const file = input.files[0];
    setReceived(form, "");
    show(form, "arrived", false);
    part(form, "refused").textContent = "";
    const told = gauge(form, file.size);
    told.back();
    told.arrived(0);
    show(form, "sending", true);
    const sending = window.sendInPieces(file, form.dataset.upload, told);
    const mine = { form, sending, submit: null };
    running = mine;
    let id = null;
    let refusal = "";
    try {
      id = await sending.run();
    } catch (error) {
      if (!(error instanceof Refused) && running === mine) refusal = form.dataset.broken;
      else refusal = error.message || form.dataset.broken;
    }
    if (running !== mine) return; // cancelled, or another file was chosen
    running = null;
    show(form, "sending", false);
    show(form, "goes-on", false);
    // The file itself is not sent with the form, or it would travel again.
    input.value = "";
    if (id === null) {
      input.required = true;
      part(form, "refused").textContent = refusal;
      input.focus();
      return;
    }
    setReceived(form, id);
    input.required = false;
    part(form, "arrived").querySelector("span").textContent = fill(form.dataset.has, { name: file.name });
    show(form, "arrived", true);
    if (mine.submit) form.requestSubmit(mine.submit);
  }

  function setReceived(form, id) {
    let field = form.elements.namedItem("received");
    if (!field) {
      field = document.createElement("input");
      field.type = "hidden";
      field.name = "received";
      form.append(field);
    }
    field.value = id;
  }

  document.addEventListener("change", (event) => {
    const input = event.target;
    const form = uploadOf(input);
    if (!form || input.type !== "file") return;
    if (!judge(input) || !input.files[0]) {
      stop();
      return;
    }
    const name = form.elements.namedItem("name");
    if (name && (!name.value || name.dataset.filled === name.value)) {
      // Only a name that nobody typed follows the file.
      name.value = name.dataset.filled = input.files[0].name.replace(/\.[^.]+$/, "").slice(0, 120);
    }
    begin(form, input);
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-stop]");
    const form = button && uploadOf(button);
    if (!form) return;
    stop();
    const input = form.querySelector("input[type=file]");
    input.value = "";
    input.required = true;
    input.focus();
  });

  // Before htmx hears of it: a form whose file is on its way waits for the file, and then goes by itself.
  document.addEventListener("submit", (event) => {
    if (!running || event.target !== running.form) return;
    event.preventDefault();
    event.stopPropagation();
    running.submit = event.submitter;
    show(running.form, "goes-on", true);
  }, true);

  window.addEventListener("beforeunload", (event) => {
    if (running) event.preventDefault();
  });
})();
