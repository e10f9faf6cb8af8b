// Says for six seconds what just happened, and takes it back on request; waits while someone reads it.
(() => {
  const region = document.getElementById("toasts");
  if (!region) return;
  const SECONDS = 6;

  const live = (toast) => {
    let timer;
    const start = () => {
      clearTimeout(timer);
      if (!toast.matches(":hover, :focus-within")) timer = setTimeout(() => toast.remove(), SECONDS * 1000);
    };
    const hold = () => clearTimeout(timer);
    toast.addEventListener("mouseenter", hold);
    toast.addEventListener("focusin", hold);
    toast.addEventListener("mouseleave", start);
    toast.addEventListener("focusout", () => setTimeout(start));
    toast.querySelector("[data-close]")?.addEventListener("click", () => toast.remove());
    // A refusal stays until it was read.
    if (!toast.classList.contains("bad")) start();
  };

  const shapes = document.getElementById("toast-shapes").content;
  const show = ({ text, tone = "ok", undo = "" }) => {
    const shape = shapes.querySelector(`.snack.${CSS.escape(tone)}`) ?? shapes.querySelector(".snack");
    const toast = shape.cloneNode(true);
    toast.querySelector(".grow").textContent = text;
    // The last act is the one to take back; a pile of toasts would hide the next customer.
    for (const older of region.querySelectorAll(".snack.ok")) {
      if (undo || !older.dataset.undo) older.remove();
    }
    if (undo) {
      toast.dataset.undo = undo;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = region.dataset.undo;
      button.addEventListener("click", () => {
        toast.remove();
        document.dispatchEvent(new CustomEvent("undo:take", { detail: { address: undo } }));
      });
      toast.querySelector("[data-close]").replaceWith(button);
    }
    while (region.children.length > 2) region.firstElementChild.remove();
    region.append(toast);
    live(toast);
  };

  for (const toast of [...region.children]) live(toast);
  document.addEventListener("toast:show", (event) => show(event.detail));
})();
