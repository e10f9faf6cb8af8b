// htmx keeps quiet when an answer fails or never comes: say so once, and lead to the field to repair.
(() => {
  const words = document.getElementById("toasts")?.dataset;
  const line = document.getElementById("offline");
  if (!words || !line) return;

  const tell = (text) => {
    document.dispatchEvent(new CustomEvent("toast:show", { detail: { text, tone: "bad" } }));
  };
  const offline = () => {
    // A page that keeps what cannot be sent says so itself.
    if (!document.dispatchEvent(new CustomEvent("line:lost", { cancelable: true }))) return;
    if (!line.hidden) return;
    line.hidden = false;
    line.textContent = words.offline;
  };
  const online = () => {
    document.dispatchEvent(new CustomEvent("line:back"));
    if (line.hidden) return;
    line.hidden = true;
    document.getElementById("polite").textContent = words.online;
  };

  let last = "";
  document.addEventListener("htmx:responseError", ({ detail: { xhr } }) => {
    const incident = xhr.getResponseHeader("X-Request-Id");
    const text = { 403: words.forbidden, 404: words.gone, 413: words.large }[xhr.status]
      ?? (incident ? `${words.failed} ${words.incident}: ${incident}` : words.failed);
    if (text === last) return;
    last = text;
    setTimeout(() => { last = ""; }, 3000);
    tell(text);
  });
  document.addEventListener("htmx:sendError", offline);
  document.addEventListener("htmx:timeout", offline);
  document.addEventListener("htmx:afterOnLoad", online);
  window.addEventListener("offline", offline);
  window.addEventListener("online", online);
  if (!navigator.onLine) offline();

  // After an invalid form: to its summary when there is one, else to the first wrong field.
  const repair = (root) => {
    root.querySelector("[data-focus], [aria-invalid=true]")?.focus();
  };
  document.addEventListener("htmx:afterSettle", ({ detail: { xhr, target } }) => {
    if (xhr?.status === 422) repair(target.isConnected ? target : document);
  });
  repair(document.querySelector("main") ?? document);
})();
