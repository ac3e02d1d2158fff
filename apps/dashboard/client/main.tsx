import "./language.ts";
import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "./style.css";
import { App } from "./app.tsx";
import { isSupported } from "./supported.ts";

const root = document.getElementById("app");
if (root && isSupported()) {
  // Removes the text for unsupported browsers.
  root.replaceChildren();
  render(<App />, root);
}
