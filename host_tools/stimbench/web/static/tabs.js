// The views, as tabs. Each is a module views/<name>.js with `title`, `mount(element, bench)`, `update(state, whole)`.

import { gate, reason } from "./controls.js";
import { el } from "./dom.js";

export class Tabs {
  constructor(list, host, bench) {
    this.list = list;
    this.host = host;
    this.bench = bench;
    this.views = [];
    bench.addEventListener("table", ({ detail }) => this.views.length || this.#load(detail.views));
    bench.addEventListener("state", () => this.#update());
    list.addEventListener("keydown", (event) => this.#key(event));
  }

  async #load(names) {
    this.views = await Promise.all(names.map(async (name) => ({ name, module: await this.bench.load(name) })));
    for (const view of this.views) {
      view.panel = el("div", { id: `view-${view.name}`, role: "tabpanel", "aria-labelledby": `tab-${view.name}`, tabindex: "0", hidden: true });
      view.tab = el("button", {
        type: "button", role: "tab", id: `tab-${view.name}`, "aria-controls": `view-${view.name}`, "aria-selected": "false",
        tabindex: "-1", onclick: () => this.show(view.name),
      }, view.module.title);
      this.list.append(view.tab);
      this.host.append(view.panel);
    }
    this.show(location.hash.startsWith("#run=") ? "run" : this.views[0].name);
  }

  /** Show a view; it is mounted when it is first shown. */
  show(name) {
    for (const view of this.views) {
      const chosen = view.name === name;
      view.panel.hidden = !chosen;
      view.tab.setAttribute("aria-selected", String(chosen));
      view.tab.tabIndex = chosen ? 0 : -1;
      if (chosen && !view.mounted) {
        view.mounted = true;
        view.module.mount(this.#place(view), this.bench);
        gate(this.bench);
      }
    }
    this.#update();
  }

  /** Where a view is mounted: what it shows on a bench that lacks what it needs is disabled, with the reason. */
  #place(view) {
    const why = this.bench.lacks.views[view.name];
    if (!why) return view.panel;
    const place = el("fieldset", { class: "lacking", disabled: true, "aria-describedby": `lacks-${view.name}` });
    view.panel.append(reason(why, `lacks-${view.name}`), place);
    return place;
  }

  #update() {
    const { state } = this.bench;
    for (const view of this.views) {
      if (view.mounted && !view.panel.hidden) view.module.update(state.views[view.name] || {}, state);
    }
  }

  #key(event) {
    const at = this.views.findIndex((view) => view.tab === document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: this.views.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const view = this.views[(to + this.views.length) % this.views.length];
    this.show(view.name);
    view.tab.focus();
  }
}
