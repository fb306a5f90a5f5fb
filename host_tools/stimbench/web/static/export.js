// The scope's picture as PNG, and its span as CSV or VCD.

import { save } from "./dom.js";
import { clock } from "./units.js";

const TITLE_PX = 24;

/** Both panes as one picture, with what they show. */
export async function savePng(panes, end) {
  const canvases = panes.map((pane) => pane.plot.ctx.canvas);
  const scale = devicePixelRatio;
  const picture = document.createElement("canvas");
  picture.width = Math.max(...canvases.map((one) => one.width));
  picture.height = canvases.reduce((sum, one) => sum + one.height + TITLE_PX * scale, 0);
  const ctx = picture.getContext("2d");
  const style = getComputedStyle(document.documentElement);
  ctx.fillStyle = style.getPropertyValue("--panel");
  ctx.fillRect(0, 0, picture.width, picture.height);
  ctx.fillStyle = style.getPropertyValue("--ink");
  ctx.font = `${13 * scale}px system-ui, sans-serif`;
  let y = 0;
  panes.forEach((pane, k) => {
    ctx.fillText(`${pane.name} lead, bench time ${clock(end)}`, 8 * scale, y + 17 * scale);
    ctx.drawImage(canvases[k], 0, y + TITLE_PX * scale);
    y += canvases[k].height + TITLE_PX * scale;
  });
  const blob = await new Promise((resolve) => picture.toBlob(resolve, "image/png"));
  save(`stimbench-${Math.round(end)}.png`, blob);
}

/** The whole run as a page that plays without a server. */
export async function saveRun() {
  const answer = await fetch("/run.html");
  if (!answer.ok) throw new Error((await answer.text()) || `The server refused it (${answer.status}).`);
  const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition"))[1];
  save(name, await answer.blob());
  return { told: `${name} was saved. It plays without this server, and without a network.` };
}

/** A span, in ns of bench time, from the server. */
export async function saveSpan(kind, from, to) {
  const [begin, end] = [Math.max(0, Math.floor(from)), Math.ceil(to)];
  const answer = await fetch(`/save.${kind}?from=${begin}&to=${end}`);
  if (!answer.ok) throw new Error((await answer.text()) || `The server refused it (${answer.status}).`);
  save(`stimbench-${begin}-${end}.${kind}`, await answer.blob());
}
