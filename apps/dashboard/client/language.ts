/**
 * To be imported before uPlot, which writes its numbers in the browser's language as soon as it is loaded. Chromium calls
 * the language of a system that has none (`LANG=C`) `en-US@posix`, and `Intl` refuses that name with an error.
 */

try {
  Intl.getCanonicalLocales(navigator.language);
} catch {
  Object.defineProperty(navigator, "language", { value: "en-US" });
}
