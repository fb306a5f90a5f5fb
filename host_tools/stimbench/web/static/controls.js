// Who holds the controls.

import { button, el, setText } from "./dom.js";

/**
 * What only the holder of the controls can use lies in a `fieldset` of the class `hands`. With `data-action` it is
 * disabled, too, where the bench lacks what that action needs.
 */
export function gate(bench) {
  for (const one of document.querySelectorAll("fieldset.hands")) {
    one.disabled = !bench.holds || Boolean(bench.why(one.dataset.action));
  }
}

/** The reason, to stand beside what is disabled; nothing on a bench that has all. */
export function reason(text, id) {
  return text ? el("p", { class: "lacks", id }, text) : null;
}

export class ControlsBar {
  constructor(host, bench) {
    const who = el("span", { id: "who" });
    const ask = button("Ask for the controls", () => bench.controls(bench.control.holder === null ? "take" : "ask"), { id: "ask-controls" });
    const asking = el("span", { id: "asking" });
    const invite = button("Invite", () => this.#invite(bench), { id: "invite" });
    this.link = el("input", { id: "invite-link", readonly: true, hidden: true, "aria-label": "Link for another browser, good for once" });
    host.append(who, ask, asking, invite, this.link);
    bench.addEventListener("control", () => {
      const { holder, pages, error } = bench.control;
      const others = pages.length - 1;
      const looking = others > 0 ? `, ${others} other${others > 1 ? "s" : ""} here` : "";
      setText(who, bench.holds ? `You hold the controls${looking}` : holder === null ? "Nobody holds the controls" : `Viewer ${holder} holds the controls`);
      setText(ask, holder === null ? "Take the controls" : bench.control.asking.includes(bench.you) ? "Asked" : "Ask for the controls");
      ask.hidden = bench.holds;
      invite.hidden = !bench.holds;
      document.body.classList.toggle("looks-on", !bench.holds);
      gate(bench);
      asking.replaceChildren(...(bench.holds ? bench.control.asking : []).flatMap((page) => [
        button(`Give to viewer ${page}`, () => bench.controls("give", page)),
        button("Not now", () => bench.controls("refuse", page), { "aria-label": `Do not give to viewer ${page}` }),
      ]));
      if (error) bench.say(error, true);
    });
  }
  async #invite(bench) {
    const made = await bench.attempt(bench.withRun("invite"));
    if (!made) return;
    this.link.value = made.url;
    this.link.hidden = false;
    this.link.focus();
    this.link.select();
    bench.say("The link lets one more browser in, once.");
  }
}
