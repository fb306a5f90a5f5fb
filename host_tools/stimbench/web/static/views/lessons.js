// The tutorial on this bench: a step at a time, each done when the bench's record says so.

import { button, el, setText } from "../dom.js";

export const title = "Lessons";

let bench, lessons, list, page, shown;

/** Elements of a text as web/prose.py gives it. */
function prose(nodes) {
  return nodes.map((node) => {
    if (typeof node === "string") return node;
    const [tag, children, address] = node;
    return el(
      tag,
      address ? { href: address, target: "_blank", rel: "noopener noreferrer" } : {},
      ...prose(children),
    );
  });
}

const attempt = (name, args) => bench.attempt(bench.do(name, args));

function goTo(view) {
  const tab = document.getElementById(`tab-${view}`);
  tab.click();
  tab.focus();
}

function viewButton(view) {
  const tab = view && document.getElementById(`tab-${view}`);
  return tab ? button(`Go to ${tab.textContent}`, () => goTo(view), { class: "go" }) : null;
}

/** A step: done, present, or still to come. */
function stepOf(step, at, done) {
  const state = at < done ? "done" : at === done ? "present" : "later";
  const words = { done: "Done", present: "Now", later: "Later" }[state];
  const more = [];
  if (state === "present") {
    if (step.ask) more.push(answerForm(step));
    const go = viewButton(step.view);
    if (go) more.push(go);
  }
  if (state === "done") more.push(el("p", { class: "seen" }, step.seen));
  return el(
    "li",
    { class: state, "aria-current": state === "present" ? "step" : null },
    el("p", {}, el("span", { class: "mark" }, words), " ", step.do),
    ...more,
  );
}

function answerForm(step) {
  const input = el("input", {
    id: "lessons-answer",
    type: "number",
    step: "any",
    "aria-describedby": "lessons-wrong",
  });
  const give = async () => {
    if (Number.isNaN(input.valueAsNumber)) {
      bench.say("Answer with a number.", true);
      input.focus();
      return;
    }
    await attempt("lesson-answer", { value: input.valueAsNumber });
  };
  input.addEventListener("keydown", (event) => event.key === "Enter" && give());
  const hands = el(
    "fieldset",
    { class: "hands answer" },
    el("label", { for: "lessons-answer" }, step.ask),
    input,
    button("Answer", give, { id: "lessons-give" }),
    el("p", { id: "lessons-wrong", class: "why", hidden: true }),
  );
  hands.disabled = !bench.holds;
  return hands;
}

function lessonPage(lesson, done) {
  const over = done >= lesson.steps.length;
  const again = el(
    "fieldset",
    { class: "hands" },
    button("Begin this lesson anew", () => attempt("lesson-again"), { id: "lessons-again" }),
  );
  again.disabled = !bench.holds;
  return [
    el("h3", { id: "lessons-title", tabindex: "-1" }, `${lesson.number}. ${lesson.title}`),
    ...prose(lesson.introduction),
    el(
      "p",
      { id: "lessons-progress", role: "status" },
      over ? "All steps are done." : `Step ${done + 1} of ${lesson.steps.length}.`,
    ),
    el(
      "ol",
      { class: "steps", id: "lessons-steps" },
      ...lesson.steps.map((step, at) => stepOf(step, at, done)),
    ),
    ...(over
      ? [
          el("h4", {}, "In the field"),
          ...prose(lesson.field),
          el("h4", {}, "Think about it"),
          ...prose(lesson.think),
        ]
      : []),
    again,
  ];
}

export function mount(host, theBench) {
  bench = theBench;
  lessons = bench.about.lessons.lessons;
  list = el(
    "ol",
    { class: "lesson-list", id: "lessons-list" },
    ...lessons.map((one) =>
      el(
        "li",
        {},
        button(`${one.number}. ${one.title}`, () => attempt("lesson-open", { number: one.number }), {
          id: `lessons-open-${one.number}`,
          "aria-pressed": "false",
        }),
        el("span", { class: "quiet", id: `lessons-done-${one.number}` }),
      ),
    ),
  );
  page = el("div", { id: "lessons-page" });
  shown = "";
  host.append(
    el("h2", {}, title),
    el(
      "p",
      { class: "quiet" },
      "The tutorial's lessons, on this bench. A step is done when the bench's own record says so. " +
        "Pause and slow the time as you like.",
    ),
    el("fieldset", { class: "hands" }, list),
    page,
  );
}

export function update(state, _whole) {
  if (!state.done) return;
  for (const one of lessons) {
    const done = state.done[one.number] || 0;
    document
      .getElementById(`lessons-open-${one.number}`)
      .setAttribute("aria-pressed", String(state.open === one.number));
    setText(
      document.getElementById(`lessons-done-${one.number}`),
      done >= one.steps.length ? "done" : `${done} of ${one.steps.length}`,
    );
  }
  const lesson = lessons.find((one) => one.number === state.open);
  const done = lesson ? state.done[lesson.number] || 0 : 0;
  const now = `${state.open} ${done}`;
  if (now !== shown) {
    const typing = page.contains(document.activeElement);
    shown = now;
    page.replaceChildren(...(lesson ? lessonPage(lesson, done) : [el("p", {}, "Open a lesson.")]));
    if (typing) (page.querySelector("#lessons-answer") || page.querySelector("#lessons-title")).focus();
  }
  const wrong = page.querySelector("#lessons-wrong");
  if (wrong) {
    wrong.hidden = state.wrong === 0;
    setText(
      wrong,
      state.wrong
        ? `Not what the record says (${state.wrong} ${state.wrong === 1 ? "try" : "tries"}). Look again.`
        : "",
    );
  }
}
