// Warns two minutes before an idle session ends and prolongs it on request, in every window at once.
(() => {
  "use strict";
  const dialog = document.getElementById("session-end");
  if (!dialog) return;
  const { seconds, stay, signin } = dialog.dataset;
  const LIFE = Number(seconds) * 1000;
  const WARNING = Math.min(120_000, LIFE / 2);
  const left = dialog.querySelector("[data-left]");
  const failed = dialog.querySelector("[data-failed]");
  const windows = new BroadcastChannel("session");
  let end;
  let timer;
  let over = false; // whether the dialog closes because the session goes on, not by hand

  const leave = () => {
    const next = encodeURIComponent(location.pathname + location.search);
    location.assign(`${signin}?next=${next}`);
  };
  const ask = async () => {
    // The server has the last word. As a poll, and not followed: asking must not prolong anything.
    try {
      const answer = await fetch(signin, { headers: { "X-Poll": "1" }, redirect: "manual" });
      if (answer.ok) {
        leave();
        return;
      }
    } catch {
      // No connection: ask again.
    }
    timer = setTimeout(tick, 15_000);
  };
  const tick = () => {
    // By the clock, not by counting: a laptop that slept counts nothing.
    const rest = Math.max(0, end - Date.now());
    clearTimeout(timer);
    if (rest > WARNING) {
      timer = setTimeout(tick, Math.min(rest - WARNING, 60_000));
      return;
    }
    if (!dialog.open) dialog.showModal();
    const whole = Math.ceil(rest / 1000);
    left.textContent = `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
    if (rest) timer = setTimeout(tick, 1000);
    else ask();
  };
  const start = () => {
    end = Date.now() + LIFE;
    failed.hidden = true;
    if (dialog.open) {
      over = true;
      dialog.close();
    }
    tick();
  };
  const seen = () => {
    start();
    windows.postMessage("seen");
  };

  const prolong = async () => {
    const { "X-CSRFToken": token } = JSON.parse(document.body.getAttribute("data-hx-headers"));
    try {
      const answer = await fetch(stay, { method: "POST", headers: { "X-CSRFToken": token } });
      if (answer.status === 204) seen();
      else leave();
    } catch {
      failed.hidden = false;
      tick();
    }
  };
  dialog.addEventListener("close", () => {
    if (over) over = false;
    else prolong();
  });

  document.addEventListener("htmx:afterRequest", ({ detail: { xhr, requestConfig } }) => {
    // A poll is nobody's visit, and an answer that never came reached nobody.
    if (xhr.status && !("X-Poll" in requestConfig.headers)) seen();
  });
  windows.addEventListener("message", start);
  document.addEventListener("visibilitychange", tick);
  seen();
})();
