// The upload form: drop a file onto it, refuse a wrong one before it travels, send it while the rest is filled in.
(() => {
  "use strict";
  const { Refused } = window.sendInPieces;
  const MB = 1024 * 1024;
  const language = document.documentElement.lang;
  let running = null; // the file on its way: { form, sending, submit }

  const uploadOf = (element) => element.closest?.("form[data-upload]");
  const part = (form, name) => form.querySelector(`[data-${name}]`);

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

  const inMegabytes = (bytes, most) => {
    const digits = most < 10 * MB ? 1 : 0;
    const shape = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    return (bytes / MB).toLocaleString(language, shape);
  };

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_all, name) => values[name]);

  // Says how far it is by what the server has, and how long it will take by how fast that grew.
  function gauge(form, size) {
    const words = part(form, "sending").dataset;
    const bar = part(form, "sending").querySelector("progress");
    let seconds = 0; // spent sending, breaks left out
    let had = null;
    let since = null;
    return {
      arrived(bytes) {
        const now = performance.now();
        if (since !== null) seconds += (now - since) / 1000;
        since = now;
        had ??= bytes;
        const share = Math.min(99, Math.floor((bytes / size) * 100));
        bar.value = bytes >= size ? 100 : share;
        part(form, "share").textContent = `${bar.value}%`;
        let text = fill(words.textAmount, { sent: inMegabytes(bytes, size), total: inMegabytes(size, size) });
        if (seconds > 5 && bytes > had && bytes < size) {
          const left = Math.max(1, Math.round((size - bytes) / ((bytes - had) / seconds)));
          text += " · " + (left > 90 ? fill(words.textMinutes, { n: Math.ceil(left / 60) }) : fill(words.textSeconds, { n: left }));
        }
        part(form, "amount-sent").textContent = text;
      },
      lost() {
        since = null;
        part(form, "doing").textContent = words.textLost;
        part(form, "sending").classList.add("lost");
      },
      back() {
        part(form, "doing").textContent = words.textDoing;
        part(form, "sending").classList.remove("lost");
      },
    };
  }

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
