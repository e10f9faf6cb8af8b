// The quantity of a request form: steps, quick numbers, and a button that says the number.
(() => {
  "use strict";

  const paint = (form) => {
    const input = form.querySelector("input[name=quantity]");
    if (!input) return;
    const number = parseInt(input.value, 10);
    for (const chip of form.querySelectorAll("[data-set]")) {
      chip.setAttribute("aria-pressed", String(Number(chip.dataset.set) === number));
    }
    const button = form.querySelector("[data-label]");
    if (button) {
      button.dataset.plain ||= button.textContent;
      button.textContent =
        number > 0
          ? button.dataset.label.replace("#", number.toLocaleString(document.documentElement.lang))
          : button.dataset.plain;
    }
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-stepper] [data-step], [data-stepper] [data-set]");
    if (!button) return;
    const form = button.closest("[data-stepper]");
    const input = form.querySelector("input[name=quantity]");
    const most = Math.max(1, Number(input.dataset.max));
    const wanted = button.dataset.set
      ? Number(button.dataset.set)
      : (parseInt(input.value, 10) || 0) + Number(button.dataset.step);
    input.value = String(Math.min(most, Math.max(1, wanted)));
    paint(form);
  });
  document.addEventListener("input", (event) => {
    const form = event.target.closest("[data-stepper]");
    if (form) paint(form);
  });

  const paintAll = () => document.querySelectorAll("[data-stepper]").forEach(paint);
  document.addEventListener("DOMContentLoaded", paintAll);
  document.addEventListener("htmx:load", paintAll);
})();
