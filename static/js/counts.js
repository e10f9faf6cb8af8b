// The numbers that come beside an answer. Answers to quick taps may overtake each other, and not every
// page shows all that an answer brings.
(() => {
  "use strict";
  let newest = 0;
  let overtaken = false;

  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const at = Number(detail.xhr?.getResponseHeader("X-Counted-At"));
    overtaken = at > 0 && at < newest;
    newest = Math.max(newest, at);
    if (!at) return;
    const whole = document.createRange().createContextualFragment(`<template>${detail.serverResponse}</template>`);
    const answer = whole.firstElementChild;
    for (const part of answer.content.querySelectorAll('[data-hx-swap-oob="true"]')) {
      if (!document.getElementById(part.id)) part.remove();
    }
    detail.serverResponse = answer.innerHTML;
  });
  // Older numbers must not replace newer ones.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (overtaken) event.detail.shouldSwap = false;
  });
})();
