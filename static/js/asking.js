// One request of an upload in pieces: its status and answer, or "lost" when the line is.
window.askInPieces = (() => {
  "use strict";
  const SILENCE = 30_000; // ms without a byte moving, then the piece is sent anew

  return function ask(method, url, body, { watch, headers = {} } = {}) {
    const { "X-CSRFToken": token } = JSON.parse(document.body.getAttribute("data-hx-headers"));
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      let silence;
      const alive = () => {
        clearTimeout(silence);
        silence = setTimeout(() => request.abort(), SILENCE);
      };
      const lost = () => {
        clearTimeout(silence);
        reject(new Error("lost"));
      };
      request.open(method, url);
      request.setRequestHeader("X-CSRFToken", token);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.upload.addEventListener("progress", alive);
      request.addEventListener("error", lost);
      request.addEventListener("abort", lost);
      request.addEventListener("load", () => {
        clearTimeout(silence);
        let answer = null;
        try {
          answer = JSON.parse(request.responseText || "{}");
        } catch {
          // Not from the page that takes files: the sign-in form, or a proxy.
        }
        resolve({ status: request.status, answer });
      });
      watch?.(request);
      alive();
      request.send(body);
    });
  };
})();
