// @ts-check
// Light, dark, or as the system has it.
import { cell } from "./cell.js";

/** @typedef {"system" | "light" | "dark"} Theme */

/** @type {import("./cell.js").Cell<Theme>} */
export const theme = cell(/** @type {Theme} */ (document.documentElement.dataset.theme ?? "system"));

/** @param {Theme} chosen */
export function choose(chosen) {
  if (chosen === "system") {
    localStorage.removeItem("theme");
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem("theme", chosen);
    document.documentElement.dataset.theme = chosen;
  }
  theme.set(chosen);
}
