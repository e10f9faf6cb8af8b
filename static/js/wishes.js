// What is wanted of the server, one wish for each address, the last one wins. Where the line is gone,
// wishes wait in this page, say so in #waiting, and go out in order when it is back. Nothing is stored.
(() => {
  "use strict";
  const PATIENCE = 20_000; // ms: longer than this the line is taken for gone
  const WAITS = [2_000, 4_000, 8_000, 15_000, 30_000]; // ms
  const LOST = [0, 408, 502, 503, 504];
  const wishes = new Map(); // address -> { name, saved, wanted, sent, busy, held, xhr }, as wished
  const line = document.getElementById("waiting");
  let lost = false; // whether something else found the line gone
  let [failed, timer] = [0, null];

  // By its address: an answer may have put another form in its place.
  const formOf = (address) => document.querySelector(`form[data-marks="${CSS.escape(address)}"]`);
  const show = (address, value) => {
    formOf(address)?.dispatchEvent(new CustomEvent("wish:show", { bubbles: true, detail: { value } }));
  };
  const held = () => [...wishes].filter(([, wish]) => wish.held);

  const stay = (event) => event.preventDefault();
  const tell = () => {
    const count = held().length;
    // Not always there: such a listener keeps pages out of the quick way back.
    window[count ? "addEventListener" : "removeEventListener"]("beforeunload", stay);
    const { lost: nothing, one, many, back } = line.dataset;
    const before = line.hidden;
    line.hidden = !count && !lost;
    line.textContent = [nothing, one][count] ?? many.replace("#", count);
    // Said once when the line goes and once when it is back, not at every mark.
    if (before !== line.hidden) document.getElementById("polite").textContent = before ? line.textContent : back;
  };

  const retry = () => {
    clearTimeout(timer);
    const waiting = held();
    if (waiting.length && !waiting.some(([, wish]) => wish.busy)) send(waiting[0][0]);
  };

  async function send(address) {
    const wish = wishes.get(address);
    const source = formOf(address);
    if (!source) return void wishes.delete(address);
    Object.assign(wish, { busy: true, sent: wish.wanted, xhr: null });
    const there = { source, target: source.querySelector("fieldset"), swap: "outerHTML" };
    await htmx.ajax("POST", address, { ...there, values: { [wish.name]: wish.sent } }).catch(() => {});
    wish.busy = false;
    settle(address, wish);
    // A later wish was hidden by the answer to the one before it.
    if (wishes.has(address)) show(address, wish.wanted);
    tell();
  }

  function settle(address, wish) {
    const status = wish.xhr?.status ?? 0;
    const waited = wish.held;
    wish.held = true;
    // Signed out meanwhile: the page is being left, and asks first.
    if (wish.xhr?.getResponseHeader("HX-Redirect")) return;
    if (LOST.includes(status)) {
      if (waited) failed += 1;
      clearTimeout(timer);
      timer = setTimeout(retry, WAITS[Math.min(failed, WAITS.length - 1)]);
      return;
    }
    failed = 0;
    wish.held = false;
    if (status < 300) wish.saved = wish.sent;
    if (wish.wanted !== wish.sent && status !== 409) {
      send(address);
    } else {
      wishes.delete(address);
      if (status !== 409 && status !== 422) show(address, wish.saved);
    }
    retry();
  }

  document.addEventListener("wish:made", ({ detail: { address, name, saved, wanted } }) => {
    const wish = wishes.get(address) ?? { name, saved };
    wish.wanted = wanted;
    wishes.delete(address); // the last one goes last
    wishes.set(address, wish);
    show(address, wanted);
    if (held().length) wish.held = true;
    tell();
    if (wish.held) retry();
    else if (!wish.busy) send(address);
  });
  // What has not gone out is taken back here; nobody else needs to know of it.
  document.addEventListener("undo:wanted", (event) => {
    const [address, wish] = held().at(-1) ?? [];
    if (!wish || wish.busy) return;
    event.preventDefault();
    wishes.delete(address);
    show(address, wish.saved);
    tell();
  });

  document.addEventListener("htmx:beforeRequest", ({ detail: { requestConfig, xhr } }) => {
    const wish = wishes.get(requestConfig.path);
    if (!wish?.busy) return;
    wish.xhr = xhr;
    xhr.timeout = PATIENCE;
  });
  for (const [event, gone] of [["line:lost", true], ["line:back", false]]) {
    document.addEventListener(event, (told) => {
      told.preventDefault(); // it is said here
      lost = gone;
      tell();
      if (!gone) retry();
    });
  }
  document.addEventListener("visibilitychange", () => { if (!document.hidden) retry(); });
  // The browser drops what is on its way when the page is left: once more, twice is once.
  window.addEventListener("pagehide", () => {
    const headers = { "HX-Request": "true", ...JSON.parse(document.body.getAttribute("data-hx-headers")) };
    for (const [address, { name, wanted }] of wishes) {
      fetch(address, { method: "POST", keepalive: true, headers, body: new URLSearchParams({ [name]: wanted }) });
    }
  });
})();
