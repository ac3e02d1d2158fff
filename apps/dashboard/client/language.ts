/**
 * Must be imported before uPlot, which formats numbers in the browser's language as soon as it is loaded. On a system
 * without a language (`LANG=C`) Chromium reports `en-US@posix`, and `Intl` throws an error for that name.
 */

try {
  Intl.getCanonicalLocales(navigator.language);
} catch {
  Object.defineProperty(navigator, "language", { value: "en-US" });
}
