// Opens dialogs from data-dialog, and the sidebar as a drawer on narrow screens, moved so it exists only once.
(() => {
  const open = (dialog) => {
    if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
  };

  const drawer = (link, nav) => {
    const place = document.createComment("");
    const dialog = document.createElement("dialog");
    dialog.className = "sidedrawer";
    dialog.setAttribute("aria-label", nav.getAttribute("aria-label"));
    nav.replaceWith(place);
    dialog.append(nav);
    document.body.append(dialog);
    const wide = matchMedia("(min-width: 64rem)");
    const close = () => dialog.close();
    wide.addEventListener("change", close);
    nav.querySelector(".sideclose").addEventListener("click", (event) => {
      event.preventDefault();
      close();
    }, { once: true });
    dialog.addEventListener("close", () => {
      wide.removeEventListener("change", close);
      place.replaceWith(nav);
      dialog.remove();
      link.focus();
    });
    dialog.showModal();
  };

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog], [data-drawer]");
    if (opener) {
      const target = document.getElementById(opener.dataset.dialog ?? opener.dataset.drawer);
      if (!target) return;
      event.preventDefault();
      if (opener.dataset.drawer) drawer(opener, target);
      else open(target);
      return;
    }
    // A click beside the dialog, or on a button that says so, closes it.
    const dialog = event.target.closest("dialog[open]");
    if (dialog && (event.target === dialog || event.target.closest("[data-close-dialog]"))) dialog.close();
  });

  const openAtOnce = (root) => root.querySelectorAll?.("dialog[data-open]").forEach(open);
  openAtOnce(document);
  document.addEventListener("htmx:load", ({ detail: { elt } }) => {
    if (elt.matches("dialog[data-open]")) open(elt);
    openAtOnce(elt);
  });

  // The small menus are <details>: Escape or a click elsewhere closes them.
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest?.("details.usermenu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
})();
