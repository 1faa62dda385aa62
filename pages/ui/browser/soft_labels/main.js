// The soft labels of a run, drawn anew at every step of T without the server.
const standing = new WeakMap();
let made = 0;

function started(data, parentElement) {
  const model = prepared(data);
  const { words } = data;
  const asked = new URL(window.location.href).searchParams;
  const keep = keeper();
  const app = {
    id: `soft${(made += 1)}`, data, model, words, names: data.names, rows: rowContent(data, words), numbers: null,
    state: { temperature: null, row: data.opening, map: "teacher", chosen: { kind: model.partedAll ? "apart" : "all" }, sort: "apart" },
  };
  const [lead, live] = [el("p", { class: "lead" }), el("div", { class: "unseen", role: "status", "aria-live": "polite" })];
  const bar = temperatureBar(app);
  const cards = { row: rowCard(app), rows: rowsCard(app), map: mapCard(app), spread: spreadCard(app), belief: beliefCard(app), classes: classesCard(app) };
  const save = el("button", { type: "button", class: "save", onclick: () => saved(app) }, words.save);
  const root = el(
    "div", { class: "soft" }, bar.element, lead, el("div", { class: "grid first" }, cards.row.element, cards.spread.element), cards.rows.element, cards.map.element,
    el("div", { class: "grid" }, cards.belief.element, cards.classes.element),
    el("div", { class: "foot" }, save), live,
  );
  for (const [name, colour] of Object.entries(data.colours)) root.style.setProperty(`--${name}`, colour);
  let [frame, spoken, order] = [0, 0, []];

  app.style = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  app.speak = (text) => write(live, text);
  app.warm = (temperature) => {
    app.state.temperature = temperature;
    bar.update(temperature);
    keep({ t: temperature });
    frame ||= requestAnimationFrame(step);
    clearTimeout(spoken);
    spoken = setTimeout(() => app.speak(lead.textContent), 700);
  };
  app.choose = (chosen) => {
    app.state.chosen = chosen;
    app.state.sort = chosen.kind === "cell" ? "like" : "apart";
    cards.rows.fresh(chosen);
    app.listed(true);
    cards.map.update();
    cards.spread.update(app.numbers);
    cards.classes.update();
    app.speak(told());
  };
  app.listed = (anew) => {
    order = rowsOf(model, app.state.chosen, app.state.sort);
    cards.rows.update(order, told());
    cards.row.place(order.indexOf(app.state.row), order.length);
    if (anew) bar.chosen(told(), order, app.state.chosen.kind === "all");
  };
  app.show = (row, near = false) => {
    app.state.row = row;
    keep({ row: model.ids[row] });
    cards.row.show(row);
    cards.row.update();
    cards.rows.update(order, told());
    cards.row.place(order.indexOf(row), order.length);
    if (near) app.see("row");
  };
  app.showId = (id) => {
    const at = model.ids.indexOf(id);
    if (at >= 0) app.show(at);
    else app.speak(filled(words.no_row, { row: String(id) }));
    cards.row.element.querySelector("input[type=number]").value = model.ids[app.state.row];
  };
  app.walk = (by) => {
    if (!order.length) return;
    const at = order.indexOf(app.state.row);
    app.show(order[at < 0 ? 0 : (at + by + order.length) % order.length]);
    app.speak(filled(words.row, { row: model.ids[app.state.row] }));
  };
  app.see = (card) => {
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    cards[card].element.scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
  };

  function told() {
    const { chosen, temperature } = app.state;
    const name = (c) => (c === undefined ? "" : data.classes[c]);
    return filled(words[`chosen_${chosen.kind}`], { num: exact(order.length), a: name(chosen.a), b: name(chosen.b), t: temperature, ...(chosen.written ?? {}) });
  }

  function step() {
    frame = 0;
    const began = performance.now();
    app.numbers = measured(model, app.state.temperature);
    const of = (arm) => app.numbers.arms[arm];
    say(lead, words.lead, { t: app.state.temperature, share: percent(of("teacher").largestMean), at_one: percent(atOne), effective: of("teacher").effective.toFixed(1), student: of("student").effective.toFixed(1) });
    cards.row.update();
    cards.map.update();
    cards.spread.update(app.numbers);
    cards.belief.update(app.numbers);
    cards.classes.update();
    app.listed(false);
    performance.measure("soft-labels-step", { start: began, end: performance.now() });
  }

  const atOne = measured(model, 1).arms.teacher.largestMean;
  const wanted = Number(asked.get("t"));
  const rowWanted = model.ids.indexOf(Number(asked.get("row")));
  app.state.temperature = bar.nearest(wanted > 0 && Number.isFinite(wanted) ? wanted : data.trained ?? 2);
  if (rowWanted >= 0) app.state.row = rowWanted;
  bar.update(app.state.temperature);
  cards.row.show(app.state.row);
  parentElement.querySelector(".place").replaceChildren(root);
  step();
  cards.rows.fresh(app.state.chosen);
  app.listed(true);
  const sizes = new ResizeObserver(() => {
    bar.below(document.querySelector("[data-testid=stHeader]"));
    cards.map.lay();
  });
  sizes.observe(cards.map.element);
  return {
    key: data.key,
    retheme: () => requestAnimationFrame(() => cards.map.lay()),
    leave() {
      sizes.disconnect();
      cards.row.leave();
      clearTimeout(spoken);
      cancelAnimationFrame(frame);
    },
  };
}

// The numbers that are drawn, as a file.
function saved({ data, model, numbers, state }) {
  const square = (values) => Array.from({ length: model.C }, (_, a) => Array.from(values.subarray(a * model.C, (a + 1) * model.C), (v) => (Number.isFinite(v) ? v : null)));
  const arms = Object.fromEntries(
    ARMS.map((arm) => {
      const { largest, entropy, ...plain } = numbers.arms[arm];
      const row = Array.from(model.arms[arm].p.subarray(state.row * model.C, (state.row + 1) * model.C));
      const times_ = square(model.arms[arm].lift.map(Math.exp));
      return [arm, { ...plain, largest: Array.from(largest), entropy: Array.from(entropy), row, lift: times_ }];
    }),
  );
  const rows = { number: Array.from(model.ids), distance: Array.from(model.apart), teacher_entropy: Array.from(model.arms.teacher.entropy) };
  const text = JSON.stringify({ temperature: numbers.temperature, classes: data.classes, row: model.ids[state.row], kl: numbers.kl, inherited: numbers.inherited, arms, rows });
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  el("a", { href: address, download: `soft-labels-T${numbers.temperature}.json` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

// Called anew for every change of theme or data: what stands is kept as long as the data are the same.
export default function ({ data, parentElement }) {
  const known = standing.get(parentElement);
  if (known?.key === data.key) known.retheme();
  else {
    known?.leave();
    standing.set(parentElement, started(data, parentElement));
  }
  return () => {
    standing.get(parentElement)?.leave();
    standing.delete(parentElement);
  };
}
