// Draws what /live says, once a second. Everything that comes from outside goes in as text, never as markup.
const SVG = "http://www.w3.org/2000/svg";
const EVERY_MS = 1000;
const SLOWEST_MS = 15000;
const narrow = matchMedia("(max-width: 760px)");

function make(name, options = {}, ...children) {
  const element = options.svg ? document.createElementNS(SVG, name) : document.createElement(name);
  if (options.class) element.setAttribute("class", options.class);
  for (const [key, value] of Object.entries(options.set ?? {})) element.setAttribute(key, value);
  if (options.title) element.title = options.title;
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}
const svg = (name, set, ...children) => make(name, { svg: true, set }, ...children);

const whole = new Intl.NumberFormat("en");
function count(value) {
  return whole.format(value);
}
function short(value) {
  if (value === null) return "\u2013";
  if (value < 10000) return whole.format(Math.round(value * (value < 100 ? 10 : 1)) / (value < 100 ? 10 : 1));
  const [size, unit] = value < 1e6 ? [1e3, "k"] : value < 1e9 ? [1e6, "M"] : [1e9, "G"];
  return `${(value / size).toPrecision(3)} ${unit}`;
}
function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let at = 0;
  while (value >= 1024 && at < units.length - 1) { value /= 1024; at += 1; }
  return `${at && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[at]}`;
}
function figure(value) {
  if (value === null) return make("span", { class: "null" }, "null");
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value)) return whole.format(value);
  const size = Math.abs(value);
  return size >= 1e6 || (size && size < 1e-3) ? value.toExponential(3) : value.toFixed(size < 10 ? 3 : size < 1000 ? 2 : 1);
}
function instant(us, width) {
  const date = new Date(us / 1000);
  const day = date.toISOString().slice(0, 10);
  const time = date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", second: width < 60e6 ? "2-digit" : undefined });
  return date.toDateString() === new Date().toDateString() ? time : `${day} ${time}`;
}
function duration(us) {
  const seconds = us / 1e6;
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) if (seconds >= size && seconds % size === 0) return `${seconds / size} ${unit}`;
  return seconds >= 1 ? `${seconds} s` : `${seconds * 1000} ms`;
}
function plural(number, word) {
  return `${count(number)} ${word}${number === 1 ? "" : "s"}`;
}

function term(name, value) {
  return make("div", {}, make("dt", {}, name), make("dd", {}, value));
}
function machine(name, alive, terms, extra = []) {
  return make("article", { class: "card machine" },
    make("header", {},
      make("span", { class: alive ? "dot" : "dot away", title: alive ? "heard within 5 s" : "not heard for 5 s" }),
      make("b", { class: "clip", title: name }, name),
      alive ? "" : make("span", { class: "badge wrong" }, "away")),
    make("dl", {}, ...terms), ...extra);
}
function node(each) {
  const part = each.limit_bytes ? Math.min(1, each.journal_bytes / each.limit_bytes) : 0;
  const fill = make("i", { class: part > 0.8 ? "full" : "", set: {} });
  fill.style.width = `${Math.max(part * 100, 0.5)}%`;
  return machine(each.name, each.alive, [
    term("messages/s", short(each.rate)),
    term("clients", count(each.clients)),
    term("pending", short(each.pending)),
    term("journal", bytes(each.journal_bytes)),
    each.unrouted ? term("unrouted", short(each.unrouted)) : "",
  ], [
    each.limit_bytes ? make("div", { class: "meter", title: `${bytes(each.journal_bytes)} of ${bytes(each.limit_bytes)}` }, fill) : "",
    ...each.faults.map((fault) => make("p", { class: "fault" }, fault)),
  ]);
}
function aggregator(each) {
  return machine(each.name, each.alive, [
    term("children", count(each.children)),
    term("parts in/s", short(each.rate_in)),
    term("out/s", short(each.rate_out)),
    term("held", bytes(each.held_bytes)),
    each.refusals ? term("refusals", count(each.refusals)) : "",
  ]);
}
function tier(title, cards, more, nothing) {
  return make("div", { class: "tier" }, make("h4", {}, title),
    ...(cards.length ? cards : [make("p", { class: "empty" }, nothing)]),
    more > 0 ? make("p", { class: "quiet small" }, `and ${plural(more, "more")}`.replace("mores", "more")) : "");
}
function link(rate, words) {
  const down = narrow.matches;
  const [box, line, head] = down
    ? ["0 0 12 34", { x1: 6, y1: 0, x2: 6, y2: 33 }, "M2 28 L6 33 L10 28"]
    : ["0 0 100 12", { x1: 0, y1: 6, x2: 99, y2: 6 }, "M94 2 L99 6 L94 10"];
  const drawing = svg("svg", { viewBox: box, preserveAspectRatio: down ? "xMidYMid meet" : "none", "aria-hidden": "true" },
    svg("line", line), svg("line", { ...line, class: "moving" }), svg("path", { d: head }));
  const text = make("b", {}, short(rate));
  const unit = make("span", {}, words);
  return make("div", { class: rate > 0 ? "link" : "link still" }, ...(down ? [text, drawing, unit] : [text, unit, drawing]));
}
function drawFlow(live) {
  const cloud = make("article", { class: "card machine" },
    make("header", {}, make("span", { class: "dot" }), make("b", { class: "clip" }, "cloud")),
    make("p", { class: "big" }, count(live.cloud.readings)),
    make("p", { class: "quiet small" }, "readings counted into windows"),
    make("dl", {}, term("commits/s", short(live.cloud.commit_rate)), term("contributions/s", short(live.cloud.contribution_rate))));
  const columns = [
    tier(plural(live.nodes_total, "fog node"), live.nodes.map(node), live.nodes_total - live.nodes.length, "No node has attached yet."),
    link(live.message_rate, "messages/s"),
  ];
  if (live.aggregators.length) columns.push(
    tier(plural(live.aggregators_total, "aggregator"), live.aggregators.map(aggregator), live.aggregators_total - live.aggregators.length, ""),
    link(live.part_rate, "merged parts/s"));
  else columns.push(make("div", { class: "tier" }, make("p", { class: "empty" }, "No aggregator: nodes push to the cloud.")), link(live.message_rate, "messages/s"));
  columns.push(tier("cloud", [cloud], 0, ""));
  document.getElementById("flow").replaceChildren(...columns);
}

function badge(window) {
  const words = {
    open: `open, ${window.have} of ${window.expected}`,
    complete: "complete",
    partial: `partial, ${window.have} of ${window.expected}`,
    revised: `revised ${window.revision}${window.missing.length ? `, ${window.have} of ${window.expected}` : ""}`,
  };
  const missing = window.missing.length ? `missing: ${window.missing.join(", ")}` : "nobody is missing";
  return make("span", { class: `badge ${window.status}`, title: missing }, words[window.status]);
}
// Few windows stand at the right, where the next one will come, instead of filling the width.
const slots = (step) => Math.max(step.windows.length, 24);
function history(step) {
  const windows = step.windows;
  const most = Math.max(1, ...windows.map((window) => window.readings));
  const room = slots(step);
  const bars = windows.map((window, at) => {
    const height = Math.max(1.5, (window.readings / most) * 60);
    const bar = svg("rect", { class: window.status, x: (at + room - windows.length) * 10 + 1, y: 63 - height, width: 8, height });
    bar.append(make("title", { svg: true }, `${instant(window.start, step.width)}: ${plural(window.readings, "reading")}, ${window.status}`));
    return bar;
  });
  return svg("svg", { class: "history", viewBox: `0 0 ${room * 10} 64`, preserveAspectRatio: "none", role: "img", "aria-label": "readings in the newest windows" },
    ...bars, svg("line", { class: "base", x1: 0, x2: room * 10, y1: 63.5, y2: 63.5 }));
}
function sparkline(points) {
  const known = points.filter((point) => point !== null);
  if (known.length < 2) return make("span", { class: "quiet" }, "");
  const least = Math.min(...known);
  const span = Math.max(...known) - least || 1;
  let path = "";
  let drawing = false;
  points.forEach((point, at) => {
    if (point === null) { drawing = false; return; }
    const x = (at / (points.length - 1)) * 100;
    path += `${drawing ? "L" : "M"}${x.toFixed(1)} ${(22 - ((point - least) / span) * 20).toFixed(1)}`;
    drawing = true;
  });
  return svg("svg", { class: "sparkline", viewBox: "0 0 100 24", preserveAspectRatio: "none", role: "img", "aria-label": `from ${least} to ${least + span}` }, svg("path", { d: path }));
}
function stepTable(step) {
  const isNumber = step.outputs.map((_, at) => step.rows.every((row) => row.values[at] === null || typeof row.values[at] === "number"));
  const head = make("tr", {},
    ...step.keys.map((name) => make("th", { title: name }, name)),
    ...step.outputs.map((name, at) => make("th", { class: isNumber[at] ? "number" : "", title: name }, name)),
    step.spark ? make("th", { title: step.spark }, `${step.spark}, newest ${plural(step.windows.length, "window")}`) : "");
  const rows = step.rows.map((row) => make("tr", {},
    ...row.key.map((text) => text === null ? make("td", {}, make("span", { class: "null" }, "null")) : make("td", { title: text }, text)),
    ...row.values.map((value, at) => make("td", { class: isNumber[at] ? "number" : "" }, figure(value))),
    step.spark ? make("td", { class: "spark" }, sparkline(row.spark)) : ""));
  const more = step.keys_total - step.rows.length;
  return make("div", { class: "scroll" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)),
    more > 0 ? make("p", { class: "quiet small" }, `and ${count(more)} more keys`) : "");
}
function axis(step, newest) {
  const first = make("span", {}, instant(step.windows[0].start, step.width));
  first.style.marginLeft = `${Math.min(0.8, 1 - step.windows.length / slots(step)) * 100}%`;
  return make("div", { class: "axis" }, first, make("span", {}, instant(newest.end, step.width)));
}
function stepCard(step) {
  if (!step.windows.length) return make("div", { class: "step" }, make("div", { class: "step-head" }, make("b", {}, step.name)), make("p", { class: "quiet" }, "No window yet."));
  const newest = step.windows[step.windows.length - 1];
  const shown = step.windows.find((window) => window.start === step.shown) ?? newest;
  return make("div", { class: "step" },
    make("div", { class: "step-head" },
      make("b", {}, step.name),
      make("span", { class: "quiet small" }, `every ${duration(step.width)}, readings a window`)),
    history(step),
    axis(step, newest),
    make("div", { class: "step-head" },
      make("span", {}, `${instant(shown.start, step.width)} to ${instant(shown.end, step.width)}`), badge(shown),
      shown.missing.length ? make("span", { class: "quiet small clip" }, `missing: ${shown.missing.slice(0, 6).join(", ")}${shown.missing.length > 6 ? ", …" : ""}`) : "",
      make("span", { class: "quiet small" }, plural(shown.readings, "reading"))),
    stepTable(step));
}
function drawPipelines(live) {
  const cards = live.pipelines.map((pipeline) => make("article", { class: "card pipeline" },
    make("header", {}, make("h3", { class: "clip" }, pipeline.name), make("span", { class: "quiet small" }, "plan ", make("code", {}, pipeline.plan)),
      pipeline.next ? make("span", { class: "badge revised" }, "a new plan is catching up") : ""),
    ...pipeline.steps.map(stepCard)));
  document.getElementById("pipelines").replaceChildren(...(cards.length ? cards
    : [make("p", { class: "empty" }, "Nothing is deployed. ", make("code", {}, "fogline deploy FILE"), " brings the first pipeline.")]));
}

function terms(list) {
  const total = list.reduce((sum, each) => sum + each.value, 0) || 1;
  const stack = make("div", { class: "stack", set: { "aria-hidden": "true" } }, ...list.filter((each) => each.value > 0).map((each) => {
    const piece = make("i", { class: each.colour, title: `${each.name}: ${count(each.value)}` });
    piece.style.flex = `${each.value / total} 0 0`;
    return piece;
  }));
  const words = make("dl", { class: "terms" }, ...list.map((each) => make("div", {},
    make("dt", {}, make("i", { class: each.colour }), each.name), make("dd", { title: each.detail ?? "" }, short(each.value)))));
  return [stack, words];
}
const sum = (reasons) => Object.values(reasons).reduce((total, value) => total + value, 0);
const reasons = (map) => Object.entries(map).map(([reason, value]) => `${reason}: ${count(value)}`).join(", ");
function ledgerCard(line) {
  return make("article", { class: "card ledger" },
    make("header", {}, make("h3", { class: "clip" }, line.stream), make("span", { class: "quiet small" }, line.pipeline), make("code", { class: "small" }, line.plan.slice(0, 8)),
      make("span", { class: `badge ${line.adds_up ? "complete" : "wrong"}` }, line.adds_up ? "adds up" : "does not add up")),
    make("p", { class: "small" }, `${count(line.received)} messages received, ${count(line.journaled)} journaled`),
    ...terms([
      { name: "committed", value: line.committed, colour: "t0" },
      { name: "pending", value: line.pending, colour: "t1" },
      { name: "gap", value: sum(line.gap), colour: "t2", detail: reasons(line.gap) },
      { name: "before start", value: line.before_start, colour: "t3" },
      { name: "refused", value: sum(line.refused), colour: "t4", detail: reasons(line.refused) },
    ]),
    ...line.steps.flatMap((step) => [
      make("p", { class: "subhead" }, `${step.step}: ${count(step.decoded)} readings decoded`),
      ...terms([
        { name: "counted", value: step.counted, colour: "t0" },
        { name: "filtered", value: step.filtered, colour: "t3" },
        { name: "dead", value: sum(step.dead), colour: "t4", detail: reasons(step.dead) },
        { name: "too late", value: sum(step.too_late), colour: "t2", detail: reasons(step.too_late) },
      ])]),
    line.differences.length ? make("ul", { class: "differences" }, ...line.differences.slice(0, 8).map((each) => make("li", {}, each))) : "");
}
function drawLedger(live) {
  document.getElementById("ledger").replaceChildren(...(live.ledger.length ? live.ledger.map(ledgerCard)
    : [make("p", { class: "empty" }, "The ledger begins with the first pipeline.")]));
}
function drawFacts(live) {
  const fact = (value, words) => make("span", {}, make("b", {}, value), ` ${words}`);
  document.getElementById("facts").replaceChildren(
    fact(short(live.cloud.reading_rate), "readings/s"), fact(`${live.nodes_alive} of ${live.nodes_total}`, "nodes alive"),
    fact(count(live.pipelines_total), live.pipelines_total === 1 ? "pipeline" : "pipelines"));
  document.getElementById("foot").replaceChildren(
    make("span", {}, `Fogline ${live.version}`), make("span", {}, `generation ${live.generation}`), make("span", {}, "store ", make("code", {}, live.incarnation.slice(0, 8))));
}

// A section is drawn again only when what it shows has changed: selections stay, and an idle page does nothing.
const drawn = new Map();
function draw(name, data, how) {
  const text = JSON.stringify(data) + narrow.matches;
  if (drawn.get(name) === text) return;
  drawn.set(name, text);
  how(data);
}
function drawAll(live) {
  draw("facts", { ...live, pipelines: 0, ledger: 0, nodes: 0, aggregators: 0, at: 0 }, drawFacts);
  draw("flow", { cloud: live.cloud, nodes: live.nodes, aggregators: live.aggregators, nodes_total: live.nodes_total, aggregators_total: live.aggregators_total, message_rate: live.message_rate, part_rate: live.part_rate }, drawFlow);
  draw("pipelines", { pipelines: live.pipelines }, drawPipelines);
  draw("ledger", { ledger: live.ledger }, drawLedger);
}

let failures = 0;
let heard = null;
async function look() {
  const banner = document.getElementById("banner");
  try {
    const answer = await fetch("/live", { cache: "no-store", signal: AbortSignal.timeout(10000) });
    if (!answer.ok) throw new Error(`the cloud answered ${answer.status}`);
    drawAll(await answer.json());
    failures = 0;
    heard = new Date();
    banner.hidden = true;
  } catch {
    failures += 1;
    banner.textContent = `No answer from the cloud${heard ? ` since ${heard.toLocaleTimeString("en-GB")}` : ""}; this page keeps trying.`;
    banner.hidden = failures < 2;
  }
}
async function run() {
  for (;;) {
    if (!document.hidden) await look();
    await new Promise((done) => { setTimeout(done, Math.min(SLOWEST_MS, EVERY_MS * 2 ** Math.max(0, failures - 3))); });
  }
}
run();
