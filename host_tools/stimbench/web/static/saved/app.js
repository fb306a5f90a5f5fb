// A saved run's page: header, scope, and the views in tabs, as of ../app.js; all of it from this file.

import { setText } from "../dom.js";
import { ScopeView } from "../scope.js";
import { Tabs } from "../tabs.js";
import { setUpTheme } from "../theme.js";
import { clock } from "../units.js";
import { SavedBench } from "./bench.js";
import { loadRun } from "./file.js";
import { PlayBar } from "./player.js";

const byId = (id) => document.getElementById(id);

function say({ text, isError }) {
  setText(byId("notice"), text);
  byId("notice").classList.toggle("error", isError);
}

function begin(run) {
  const bench = new SavedBench(run);
  bench.addEventListener("say", ({ detail }) => say(detail));
  bench.addEventListener("state", () => {
    const { t_ns, stimulator } = bench.state;
    setText(byId("time"), clock(t_ns));
    setText(byId("stimulator-state"), stimulator.answers ? `${stimulator.state}, ${stimulator.session_s} s` : "no answer");
  });
  const scope = new ScopeView(byId("scope"), bench);
  new PlayBar(byId("play"), bench);
  new Tabs(byId("tabs"), byId("views"), bench);
  setUpTheme(byId("theme"), () => scope.recolour());
  if (bench.views.length) bench.dispatchEvent(new CustomEvent("table", { detail: { views: bench.views } }));
  bench.seek(bench.end);
  scope.showAll();
  say({ text: "", isError: false });
  /** For tests and measurements. */
  window.stimbench = { bench, scope };
}

loadRun().then(begin).catch((error) => say({ text: `The run cannot be shown: ${error.message}`, isError: true }));
