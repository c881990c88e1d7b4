// Before anything is drawn: the colours that were chosen, where they are not the system's. A plain script, so that no other colours flash up first.
(() => {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
