// Tells the server that a customer's link was copied or opened, and shows it in the row, without
// holding anybody up: the request outlives the page where the link leads away from it.
(() => {
  "use strict";
  const tell = async (button) => {
    const place = button.closest("[data-attempt]");
    const { "X-CSRFToken": token } = JSON.parse(document.body.getAttribute("data-hx-headers"));
    const said = { kind: button.matches("[data-copy]") ? "copy" : "open", template: place.dataset.template ?? "" };
    const answer = await fetch(place.dataset.attempt, {
      method: "POST",
      keepalive: true,
      redirect: "manual",
      headers: { "HX-Request": "true", "X-CSRFToken": token },
      body: new URLSearchParams(said),
    });
    if (!answer.ok || answer.headers.has("HX-Redirect")) return;
    const shown = document.getElementById(place.dataset.shown);
    if (shown) htmx.swap(shown, await answer.text(), { swapStyle: "outerHTML" });
  };

  for (const kind of ["click", "auxclick"]) { // the middle button opens links too
    document.addEventListener(kind, (event) => {
      const button = event.target.closest("[data-attempt] :is([data-copy], [data-open])");
      if (!button || event.button > 1) return;
      // Without a line there is nothing to tell it over; the chat could not be opened either.
      tell(button).catch(() => {});
    });
  }
})();
