// Keys for those who work without a mouse: `/` goes to the search of the page; never while typing.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
  if (document.querySelector("dialog[open]")) return;
  const wanted = [...document.querySelectorAll("[data-key]")]
    .find((element) => element.dataset.key === event.key && element.matches("input") && element.offsetParent);
  if (!wanted) return;
  event.preventDefault();
  wanted.focus();
  wanted.select();
});
