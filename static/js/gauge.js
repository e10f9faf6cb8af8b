// How far an upload is, in words: for the upload form.
window.uploading = (() => {
  "use strict";
  const MB = 1024 * 1024;
  const language = document.documentElement.lang;
  const part = (form, name) => form.querySelector(`[data-${name}]`);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_all, name) => values[name]);

  const inMegabytes = (bytes, most) => {
    const digits = most < 10 * MB ? 1 : 0;
    const shape = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    return (bytes / MB).toLocaleString(language, shape);
  };

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

  return { fill, gauge, part };
})();
