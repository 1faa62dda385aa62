// The student learns before your eyes: kept scores, epoch by epoch. Every word goes in as text.
const NS = "http://www.w3.org/2000/svg";
const [WIDE, HIGH] = [540, 350];
const PLOT = { left: 46, right: 392, top: 32, bottom: 312 };
const SECONDS = 7;
const APART = 17; // pixels between two labels

const drawn = (tag, given, ...children) => {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(given)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};
const el = (tag, given, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};
const score = (value) => value.toFixed(3);
const filled = (template, values) => template.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
const still = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

// "With the teacher {student}": bold values, as nodes.
const said = (template, values) =>
  template.split(/\{(\w+)\}/).map((part, at) => (at % 2 ? el("b", {}, String(values[part])) : part));

// The means and the teacher fill the picture; single seeds may leave it.
function scale(data) {
  const all = [...data.mean.student, ...data.mean.baseline, data.teacher];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const room = (high - low || 1) * 0.06;
  const [from, to] = [low - room, high + room];
  const x = (epoch) => PLOT.left + ((epoch - 1) / Math.max(1, data.epochs - 1)) * (PLOT.right - PLOT.left);
  const y = (value) => PLOT.bottom - ((value - from) / (to - from)) * (PLOT.bottom - PLOT.top);
  return { x, y, from, to };
}

function picture(data) {
  const { words, colours } = data;
  const { x, y, from, to } = scale(data);
  const svg = drawn("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": filled(end(data), told(data, data.epochs)) });
  const id = `learned-${Math.random().toString(36).slice(2)}`;
  const shown = drawn("rect", { x: PLOT.left - 4, y: PLOT.top, width: 0, height: PLOT.bottom - PLOT.top });
  svg.append(drawn("clipPath", { id }, shown));
  for (const [value, label] of linearTicks(from, to, 4))
    svg.append(
      drawn("line", { class: "grid", x1: PLOT.left, x2: PLOT.right, y1: y(value), y2: y(value) }),
      drawn("text", { x: PLOT.left - 8, y: y(value) + 4, "text-anchor": "end" }, label),
    );
  svg.append(drawn("text", { x: 4, y: 14 }, filled(words.title, { metric: data.metric })));
  svg.append(drawn("text", { x: PLOT.left, y: HIGH - 8 }, filled(words.axis, { n: data.epochs })));
  const path = (scores) => `M${scores.map((value, at) => `${x(at + 1).toFixed(1)},${y(value).toFixed(1)}`).join("L")}`;
  const lines = drawn("g", { "clip-path": `url(#${id})` });
  for (const arm of ["baseline", "student"])
    for (const scores of data.seeds[arm]) lines.append(drawn("path", { class: "faint", d: path(scores), stroke: colours[arm] }));
  const dashes = { baseline: "3 5", student: "none" };
  for (const arm of ["baseline", "student"])
    lines.append(drawn("path", { class: `bold ${arm}`, d: path(data.mean[arm]), stroke: colours[arm], "stroke-dasharray": dashes[arm] }));
  const height = y(data.teacher);
  svg.append(
    drawn("line", { x1: PLOT.left, x2: PLOT.right, y1: height, y2: height, stroke: colours.teacher, "stroke-width": 2, "stroke-dasharray": "8 5" }),
    drawn("rect", { x: PLOT.right - 5, y: height - 5, width: 10, height: 10, fill: colours.teacher }),
    lines,
  );
  const heads = {}, labels = { teacher: drawn("text", { class: "now halo", x: PLOT.right + 12 }) };
  for (const arm of ["baseline", "student"]) {
    heads[arm] = drawn("circle", { r: 5.5, fill: colours[arm], stroke: "var(--st-background-color)", "stroke-width": 1.5 });
    labels[arm] = drawn("text", { class: "now halo" });
    svg.append(heads[arm], labels[arm]);
  }
  svg.append(labels.teacher);
  // Labels follow their lines on the right, and keep apart.
  function at(epoch) {
    const whole = Math.min(data.epochs, Math.max(1, epoch));
    const below = Math.floor(whole);
    const between = (scores) => scores[below - 1] + (whole - below) * ((scores[below] ?? scores[below - 1]) - scores[below - 1]);
    shown.setAttribute("width", Math.max(0, x(whole) - PLOT.left + 4));
    const now = { teacher: data.teacher };
    for (const arm of ["baseline", "student"]) {
      now[arm] = between(data.mean[arm]);
      heads[arm].setAttribute("cx", x(whole));
      heads[arm].setAttribute("cy", y(now[arm]));
      labels[arm].setAttribute("x", Math.min(x(whole), PLOT.right) + 12);
    }
    const order = Object.keys(now).sort((a, b) => y(now[a]) - y(now[b]));
    const places = order.map((name) => y(now[name]) + 5);
    for (let i = 1; i < places.length; i++) places[i] = Math.max(places[i], places[i - 1] + APART);
    order.forEach((name, i) => {
      labels[name].setAttribute("y", places[i]);
      labels[name].textContent = filled(words[`label_${name}`], { score: score(now[name]) });
    });
  }
  return { svg, at };
}

function told(data, epoch) {
  const now = Math.min(data.epochs, Math.max(1, Math.floor(epoch)));
  return {
    epoch: now,
    epochs: data.epochs,
    metric: data.metric,
    student: score(data.mean.student[now - 1]),
    baseline: score(data.mean.baseline[now - 1]),
    teacher: score(data.teacher),
    ...data.test,
  };
}

const end = ({ words, test }) => (test ? words.finished_test : words.finished);

function built(data) {
  const { words } = data;
  const { svg, at } = picture(data);
  const sentence = el("p", {});
  const press = el("button", { type: "button" });
  const slider = el("input", { type: "range", min: 1, max: data.epochs, step: 1, "aria-label": words.slider });
  const element = el(
    "div", { class: "learning" }, svg, sentence,
    el("div", { class: "controls" }, press, slider),
    el("p", { class: "note" }, data.note),
  );
  let [epoch, frame, began] = [data.epochs, null, 0];
  function show(to) {
    epoch = to;
    at(epoch);
    const values = told(data, epoch);
    sentence.replaceChildren(...said(epoch >= data.epochs ? end(data) : words.sentence, values));
    slider.value = values.epoch;
    slider.setAttribute("aria-valuetext", filled(words.sentence, values));
    press.textContent = frame !== null ? words.pause : epoch >= data.epochs ? words.again : words.play;
    element.dataset.state = frame !== null ? "playing" : epoch >= data.epochs ? "finished" : "paused";
  }
  function step(time) {
    if (!element.isConnected) return halt();
    const to = 1 + ((time - began) / 1000 / SECONDS) * (data.epochs - 1);
    if (to >= data.epochs) return halt(data.epochs);
    frame = requestAnimationFrame(step);
    show(to);
  }
  function halt(to = epoch) {
    if (frame !== null) cancelAnimationFrame(frame);
    frame = null;
    show(to);
  }
  function play(from) {
    began = performance.now() - (((from - 1) / Math.max(1, data.epochs - 1)) * SECONDS * 1000);
    frame = requestAnimationFrame(step);
    show(from);
  }
  press.addEventListener("click", () => (frame !== null ? halt() : play(epoch >= data.epochs ? 1 : epoch)));
  slider.addEventListener("input", () => halt(slider.valueAsNumber));
  return { element, begin: () => (still() ? show(data.epochs) : play(1)) };
}

// Kept by its place: a change of the theme draws nothing anew and begins nothing again.
const standing = new WeakMap();

export default function ({ data, parentElement }) {
  const key = JSON.stringify(data);
  if (standing.get(parentElement) === key) return;
  standing.set(parentElement, key);
  const made = built(data);
  parentElement.querySelector(".place").replaceChildren(made.element);
  made.begin();
}
