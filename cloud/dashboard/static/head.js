// Runs in the page's head: puts the chosen theme on the page before anything is drawn, and follows the system's while
// the choice is "auto". The choice stays in the browser.
(() => {
  const KEY = "fogline-theme";
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const choice = () => {
    try {
      const kept = localStorage.getItem(KEY);
      return kept === "light" || kept === "dark" ? kept : "auto";
    } catch {
      return "auto";
    }
  };
  const apply = () => {
    const kept = choice();
    const dark = kept === "dark" || (kept === "auto" && system.matches);
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    window.dispatchEvent(new Event("fogline-theme"));
  };
  window.foglineTheme = {
    choice,
    choose(theme) {
      try {
        if (theme === "auto") localStorage.removeItem(KEY);
        else localStorage.setItem(KEY, theme);
      } catch {
        // A browser that keeps nothing shows what the system says.
      }
      apply();
    },
  };
  system.addEventListener("change", apply);
  window.addEventListener("storage", (event) => event.key === KEY && apply());
  apply();
})();
