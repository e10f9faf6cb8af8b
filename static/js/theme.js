// Runs before the first paint, so that nobody who works in the dark is flashed with a white page.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  if (!root.classList.contains("system")) return;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => root.classList.toggle("dark", dark.matches);
  dark.addEventListener("change", follow);
  follow();
})();
