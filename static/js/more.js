// Long lists go on by themselves as their end comes into sight, and the way back leads to where one was.
(() => {
  "use strict";
  const AHEAD = "900px"; // about a screen before the end
  const PAUSE = 200; // ms after the last scroll

  const watch = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) htmx.trigger(target, "near");
    }
  }, { rootMargin: AHEAD });
  const observe = () => {
    watch.disconnect(); // observing anew asks anew: also after a failure
    for (const link of document.querySelectorAll("a[data-more]")) watch.observe(link);
  };
  document.addEventListener("htmx:load", observe);
  document.addEventListener("line:back", observe);
  observe();

  // Who pressed the link with a key goes on at the first row it brought.
  let pressed = false;
  document.addEventListener("htmx:beforeSwap", ({ detail: { elt } }) => {
    pressed = elt.matches?.("a[data-more]") && document.activeElement === elt;
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (!pressed) return;
    pressed = false;
    const row = [...document.querySelectorAll("tbody[data-start]")].at(-1)?.rows[0];
    if (!row) return;
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
  });

  // The address names the page that is in sight: a reload, or coming back, begins there.
  const parts = () => [...document.querySelectorAll("tbody[data-start]")];
  const place = () => {
    const top = (document.querySelector(".mtop")?.getBoundingClientRect().bottom ?? 0) + 1;
    const part = parts().find((body) => body.getBoundingClientRect().bottom > top);
    const row = part && [...part.rows].find((one) => one.getBoundingClientRect().bottom > top);
    if (!row) return;
    const address = new URL(location.href);
    address.searchParams.set("start", part.dataset.start);
    address.hash = "";
    history.scrollRestoration = "manual";
    history.replaceState({ row: row.id, top: row.getBoundingClientRect().top }, "", address);
    // What shows the same customers otherwise stays with those in sight.
    for (const link of document.querySelectorAll("a[data-here]")) {
      const there = new URL(link.href);
      there.searchParams.set("start", part.dataset.start);
      there.hash = row.id;
      link.href = there;
    }
  };
  let timer;
  window.addEventListener("scroll", () => {
    clearTimeout(timer);
    timer = setTimeout(place, PAUSE);
  }, { passive: true });

  const { row, top } = history.state ?? {};
  const there = row && document.getElementById(row);
  if (there) window.scrollBy(0, there.getBoundingClientRect().top - top);
})();
