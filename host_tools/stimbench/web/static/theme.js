// Dark or light: as the system has it, until the switch is used.

export function setUpTheme(button, changed) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => localStorage.getItem("stimbench-theme") || (dark.matches ? "dark" : "light");
  const apply = () => {
    document.documentElement.dataset.theme = chosen();
    button.setAttribute("aria-pressed", String(chosen() === "dark"));
    changed();
  };
  button.addEventListener("click", () => {
    localStorage.setItem("stimbench-theme", chosen() === "dark" ? "light" : "dark");
    apply();
  });
  dark.addEventListener("change", apply);
  apply();
}
