// The soft labels of a run, drawn anew at every step of the slider without the server. What an answer is, and how it is drawn, stands in
// the folder of its kind: `prepared`, `measured`, `SORTS`, `HOLDS`, `rowLine` and `boardOf`.
const REST = 150; // ms after the last step of the slider, when also what is out of sight is drawn
const standing = new WeakMap();
let made = 0;

function started(data, parentElement, kept) {
  const model = prepared(data);
  const { words } = data;
  const asked = new URL(window.location.href).searchParams;
  const keep = keeper();
  const app = { id: `soft${(made += 1)}`, data, model, words, names: data.names, rows: rowContent(data, words), numbers: null, state: { temperature: null, row: data.opening, map: kept?.map ?? "teacher", chosen: { kind: "all" }, sort: "apart" } };
  const [lead, live] = [el("p", { class: "lead" }), el("div", { class: "unseen", role: "status", "aria-live": "polite" })];
  const bar = temperatureBar(app);
  const board = boardOf(app);
  const { cards } = board;
  const { row: one, rows: list, ...others } = cards;
  const save = el("button", { type: "button", class: "save", onclick: () => { catchUp(); saved(app, board); } }, words.save);
  const root = el("div", { class: "soft" }, bar.element, lead, ...board.parts, el("div", { class: "foot" }, save), live);
  for (const [name, colour] of Object.entries(data.colours)) root.style.setProperty(`--${name}`, colour);
  let [frame, spoken, resting, order, back] = [0, 0, 0, [], null];
  // A step draws what is in sight. What is behind follows when the slider rests, when it comes into sight, or when the numbers are saved.
  const [sighted, behind] = [new Set(), new Set()];
  const sight = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) isIntersecting ? sighted.add(target) : sighted.delete(target);
    catchUp(sighted);
  });
  const draws = new Map(Object.values(cards).map((card) => [card.element, card === list ? () => list.update(order, told()) : () => card.update(app.numbers)]));
  for (const card of draws.keys()) sight.observe(card);
  const catchUp = (wanted = behind) => {
    for (const card of behind)
      if (wanted.has(card)) {
        behind.delete(card);
        draws.get(card)();
      }
  };

  app.style = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  app.speak = (text) => write(live, text);
  // To be read from the last row of a room: all of the page's part, its drawings too.
  app.enlarge = () => {
    const on = root.classList.toggle("larger-all");
    lay();
    return on;
  };
  app.warm = (temperature) => {
    app.state.temperature = temperature;
    bar.update(temperature);
    keep({ [data.address]: temperature });
    frame ||= requestAnimationFrame(step);
    clearTimeout(spoken);
    spoken = setTimeout(() => app.speak(lead.textContent), 700);
  };
  app.choose = (chosen) => {
    app.state.chosen = chosen;
    back = null;
    [app.state.sort] = sortsOf(chosen);
    list.fresh(chosen);
    app.listed(true);
    for (const card of Object.values(others)) card.update(app.numbers);
    if (order.length && !order.includes(app.state.row)) app.show(order[0]);
    app.speak(told());
  };
  app.listed = (anew) => {
    arranged();
    list.update(order, told());
    if (anew) bar.chosen(told(), order, app.state.chosen.kind === "all");
  };
  app.show = (row, near = false) => {
    app.state.row = row;
    if (!order.includes(row)) app.choose({ kind: "all" }); // the row in sight is one of the list that the bar names
    keep({ row: model.ids[row] });
    one.show(row);
    one.update(app.numbers);
    list.update(order, told());
    one.place(order.indexOf(row), order.length);
    board.shown?.(row);
    if (near) app.see("row");
  };
  app.showId = (id) => {
    const at = model.ids.indexOf(id);
    if (at >= 0) app.show(at);
    else app.speak(filled(words.no_row, { row: String(id) }));
    one.numbered(app.state.row);
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

  // The keyboard goes into a card; Escape there takes it back to where it came from.
  app.enter = (card, returned) => {
    back = returned;
    cards[card].focus();
    app.see(card);
  };
  list.element.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && back) back();
  });

  function arranged() {
    order = rowsOf(model, app.state.chosen, app.state.sort);
    one.place(order.indexOf(app.state.row), order.length);
  }

  function told() {
    const { chosen, temperature } = app.state;
    return filled(words[`chosen_${chosen.kind}`], { num: exact(order.length), of: exact(model.N), seed: data.seed, t: temperature, ...(chosen.written ?? {}) });
  }

  function step() {
    frame = 0;
    const began = performance.now();
    app.numbers = measured(model, app.state.temperature);
    board.lead(lead, app.numbers);
    arranged();
    for (const card of draws.keys()) behind.add(card);
    catchUp(sighted);
    clearTimeout(resting);
    resting = setTimeout(catchUp, REST);
    performance.measure("soft-labels-step", { start: began, end: performance.now() });
  }

  // Another student of the same rows is looked at as the one before: map, T and row stay.
  const same = kept !== undefined && kept.address === data.address && String(kept.ids) === String(model.ids);
  const wanted = same ? kept.temperature : asked.has(data.address) ? Number(asked.get(data.address)) : NaN;
  const rowWanted = model.ids.findIndex((id) => String(id) === (same ? String(kept.row) : asked.get("row")));
  app.state.temperature = bar.nearest(wanted >= 0 && Number.isFinite(wanted) ? wanted : data.start);
  if (rowWanted >= 0) app.state.row = rowWanted;
  if (model.partedAll && HOLDS.apart(model, {})(app.state.row)) app.state.chosen = { kind: "apart" };
  [app.state.sort] = sortsOf(app.state.chosen);
  bar.update(app.state.temperature);
  if (same) keep({ [data.address]: app.state.temperature, row: model.ids[app.state.row] }); // the server wrote its own address
  one.show(app.state.row);
  parentElement.querySelector(".place").replaceChildren(root);
  step();
  catchUp();
  list.fresh(app.state.chosen);
  app.listed(true);
  const lay = () => {
    bar.below(document.querySelector("[data-testid=stHeader]"));
    for (const card of Object.values(cards)) card.lay?.();
  };
  // A sentence that T makes a line longer moves what stands below it, and changes no drawing.
  let size = "";
  const sizes = new ResizeObserver(() => {
    const now = `${root.clientWidth} ${bar.element.offsetHeight}`;
    if (now !== size) lay();
    size = now;
  });
  for (const place of [root, bar.element]) sizes.observe(place);
  return {
    key: data.key,
    retheme: () => requestAnimationFrame(lay),
    state: () => ({ map: app.state.map, temperature: app.state.temperature, row: model.ids[app.state.row], ids: model.ids, address: data.address }),
    leave() {
      sizes.disconnect();
      sight.disconnect();
      clearTimeout(resting);
      one.leave();
      clearTimeout(spoken);
      cancelAnimationFrame(frame);
    },
  };
}

// The numbers that are drawn, as a file.
function saved({ model, numbers, state, data }, board) {
  const arms = Object.fromEntries(ARMS.map((arm) => [arm, { ...numbers.arms[arm], ...board.savedOf?.(arm) }]));
  const content = { [data.measure]: numbers.temperature, row: model.ids[state.row], arms, ...board.saved(numbers) };
  const text = JSON.stringify(content, (_, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value));
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  el("a", { href: address, download: `soft-labels-${data.sign}${numbers.temperature}.json` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

// Called anew for every change of theme or data: what stands is kept as long as the data are the same.
export default function ({ data, parentElement }) {
  const known = standing.get(parentElement);
  if (known?.key === data.key) known.retheme();
  else {
    const kept = known?.state();
    known?.leave();
    standing.set(parentElement, started(data, parentElement, kept));
  }
  return () => {
    standing.get(parentElement)?.leave();
    standing.delete(parentElement);
  };
}
