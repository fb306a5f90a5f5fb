// The page: header, scope, and the views in tabs.

import { Bench } from "./bench.js";
import { ControlsBar } from "./controls.js";
import { setText } from "./dom.js";
import { ScopeView } from "./scope.js";
import { Tabs } from "./tabs.js";
import { setUpTheme } from "./theme.js";
import { TransportBar } from "./transport.js";
import { clock } from "./units.js";

const byId = (id) => document.getElementById(id);

const bench = new Bench();
const scope = new ScopeView(byId("scope"), bench);
new TransportBar(byId("transport"), bench);
new ControlsBar(byId("controls"), bench);
new Tabs(byId("tabs"), byId("views"), bench);
setUpTheme(byId("theme"), () => scope.recolour());

byId("stop").addEventListener("click", () => bench.stop());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    event.preventDefault();
    bench.stop();
  }
}, true);

bench.addEventListener("say", ({ detail }) => {
  setText(byId("notice"), detail.text);
  byId("notice").classList.toggle("error", detail.isError);
});
bench.addEventListener("connection", () => {
  document.body.classList.toggle("lost", !bench.connected);
  if (!bench.connected) setText(byId("stimulator-state"), "not known");
  bench.say(bench.connected ? "" : "The connection to the bench is lost. Trying again.", !bench.connected);
});
bench.addEventListener("gone", ({ detail }) => bench.say(detail.error, true));
bench.addEventListener("state", () => {
  const { t_ns, stimulator, repeating } = bench.state;
  setText(byId("time"), clock(t_ns));
  const running = stimulator.answers ? `${stimulator.state}, ${stimulator.session_s} s` : "no answer";
  setText(byId("stimulator-state"), repeating === null ? running : `repeating, ${Math.floor((100 * t_ns) / repeating)} %`);
});

/** For tests and measurements: what the page has, and how often it has drawn. */
window.stimbench = { bench, scope };
