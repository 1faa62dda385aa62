// Which classes look alike: a map in an order that puts alike ones side by side, and its largest cells as a list.
const LISTED = 12;
const NEARER = 8; // of them, on the map of what was inherited, what came nearer to the teacher; the rest went away
const SEEN = 0.005; // log of a change that is more than 1.00×
const LITTLE = Math.log(1.1); // a way shorter than this everywhere is little to inherit
const WIDE_WAY = 0.5; // from here on an interval of the way tells not how far
const ROWS_EACH = 10; // rows of a cell below which it may be luck; and of a class, on average, below which no way is told

// What the map is drawn from: worked out once a temperature, when the map is drawn.
function likened(model, found) {
  if (found.inherited !== undefined) return;
  for (const arm of ARMS) {
    added(model.arms[arm], model);
    lifted(model.arms[arm], model);
  }
  found.inherited = inheritance(model.arms);
}

function mapCard(app) {
  const { data, model, words } = app;
  const { C, arms } = model;
  const place = new Int32Array(C);
  data.order.forEach((c, at) => { place[c] = at; });
  const [cells, still] = [el("canvas", { "aria-hidden": "true" }), el("canvas", { class: "still", "aria-hidden": "true" })];
  const [lit, kept] = [el("i", { class: "lit" }), el("i", { class: "kept" })];
  const area = el("div", { class: "map", tabindex: 0, role: "application", "aria-label": `${words.map}. ${words.map_keys}` }, cells, still, kept, lit);
  const pointer = el("p", { class: "pointer" });
  const [finding, legend] = [el("p", { class: "finding" }), el("div", { class: "legend" })];
  const kinds = [...ARMS.map((arm) => [arm, app.names[arm]]), ...(C > 2 ? [["inherited", words.inherited]] : [])];
  const kind = choice(`${app.id}-map`, words.map_of, kinds, "teacher", (value) => { app.state.map = value; repaint(); });
  if (C > 2) for (const input of kind.querySelectorAll("input")) input.checked = input.value === app.state.map;
  else app.state.map = app.state.map === "inherited" ? "teacher" : app.state.map;
  const names = el("datalist", { id: `${app.id}-names` }, ...data.classes.map((name) => el("option", { value: name })));
  const search = el("input", { type: "search", list: `${app.id}-names`, placeholder: words.search, "aria-label": words.search, oninput: () => find(), onkeydown: (event) => event.key === "Enter" && find(true) });
  const zoom = (factor, label, sign) => el("button", { type: "button", "aria-label": label, title: label, onclick: () => zoomed(factor) }, sign);
  const tools = el("div", { class: "tools" }, search, names, zoom(0.6, words.zoom_in, "+"), zoom(1 / 0.6, words.zoom_out, "−"), el("button", { type: "button", onclick: () => zoomed(Infinity) }, words.zoom_all));
  const [rows, first] = [Array.from({ length: LISTED }, () => listed()), NEARER];
  const second = el("h3", {}, words.inherited_away_pairs);
  const [title, note, none] = [el("h3", {}, words.pairs), el("p", { class: "quiet" }), el("p", { class: "quiet" })];
  const table = el("div", { class: "pairs", role: "group", "aria-label": words.pairs }, title, el("div", { class: "pair titles", "aria-hidden": "true" }, el("span"), ...ARMS.map((arm) => el("span", { class: `key ${arm}` }, app.names[arm]))), ...rows.slice(0, first).map((one) => one.element), none, second, ...rows.slice(first).map((one) => one.element));
  const element = el(
    "section", { class: "card classmap", "aria-label": words.map }, el("div", { class: "head" }, el("h2", {}, words.map), kind), finding,
    C > 2 ? el("div", { class: "wide" }, el("div", { class: "chart" }, tools, area, pointer, legend, note), table) : null,
  );
  const drawing = C > 2 ? mapDrawing(app, cells, still) : null;
  const moved = new Float64Array(C * C);
  // Cells of few rows are pale, and where others have enough no sentence or list takes them.
  const few = Uint8Array.from({ length: C * C }, (_, k) => (model.rowsOf(k) < ROWS_EACH ? 1 : 0));
  const known = Array.from(arms.teacher.lift.keys()).filter((k) => Math.floor(k / C) !== k % C && model.rowsOf(k) > 0);
  const [someFew, allFew] = [known.some((k) => few[k]), known.every((k) => few[k])];
  const left = someFew && !allFew ? few : new Uint8Array(C * C);
  let view = { row: 0, column: 0, size: C };
  let [cursor, layout, shown, ringed] = [null, null, arms.teacher.lift, null];

  function listed() {
    const [name, change, luck, values] = [el("span", { class: "name" }), el("span", { class: "tag" }), el("span", { class: "tag" }), ARMS.map(() => el("span", { class: "num" }))];
    const tags = el("span", { class: "tags" }, change, luck);
    const one = { cell: null, element: el("button", { type: "button", class: "pair", onclick: () => choose(one.cell) }, name, tags, ...values), name, change, luck, tags, values };
    return one;
  }

  const cellAt = (a, b) => a * C + b;
  const alike = (lift) => lift >= SEEN; // more than the base rate as it is written
  // Largest are those that are so without the row that counts most in each: one row alone is no likeness of classes.
  const ranked = (arm) => {
    const { lift, spared: without } = arms[arm];
    return without.map((value, k) => {
      const held = allFew && !Number.isFinite(value) ? lift[k] : value;
      return alike(lift[k]) && alike(held) ? held : NaN;
    });
  };
  const byOneRow = (arm, k) => above(arms[arm].spared[k]) < above(arms[arm].lift[k]) / 2;
  const far = (arm, k) => Math.abs(arms[arm].lift[k] - arms.teacher.lift[k]);
  const names_ = (cell) => [Math.floor(cell / C), cell % C];

  function choose(cell) {
    const [a, b] = names_(cell);
    const written = { a: data.classes[a], b: data.classes[b] };
    if (a === b) app.choose({ kind: "class", a, written });
    else app.choose({ kind: "cell", a, b, arm: app.state.map === "inherited" ? "student" : app.state.map, written });
    pointAt(a, b, false);
  }

  function describe(a, b) {
    const [nameA, nameB] = [data.classes[a], data.classes[b]];
    if (a === b) return filled(words.cell_own, { a: nameA, num: model.count[a] });
    const k = cellAt(a, b);
    const lift = (arm) => times(arms[arm].lift[k]);
    if (!model.count[a]) return filled(words.cell_none, { a: nameA });
    const share = percent(model.share("teacher", k));
    const told = filled(words.cell, { a: nameA, b: nameB, num: model.count[a], share, teacher: lift("teacher"), baseline: lift("baseline"), student: lift("student") });
    if (app.state.map !== "inherited" || !Number.isFinite(moved[k])) return told;
    const floored = ["student", "baseline"].some((arm) => arms[arm].lift[k] <= -SEEN);
    return `${told} ${filled(floored ? words.cell_drawn_floored : words.cell_drawn, { drawn: times(moved[k]) })}`;
  }

  function pointAt(a, b, aloud) {
    cursor = [a, b];
    boxed(lit, a, b);
    const text = describe(a, b);
    write(pointer, text);
    if (aloud) app.speak(text);
  }

  // By key the rows are gone to, and Escape there comes back.
  function entered() {
    choose(cellAt(...cursor));
    app.enter("rows", () => {
      area.focus({ preventScroll: true });
      (lit.hidden ? area : lit).scrollIntoView({ block: "nearest" });
    });
  }

  function boxed(box, a, b) {
    if (!layout) return;
    const [i, j] = [place[a] - view.row, place[b] - view.column];
    const inside = i >= 0 && j >= 0 && i < view.size && j < view.size;
    box.hidden = !inside;
    const size = `${Math.max(4, layout.cell) + 2}px`;
    Object.assign(box.style, { left: `${layout.left + j * layout.cell - 1}px`, top: `${layout.above + i * layout.cell - 1}px`, width: size, height: size });
  }

  const within = (value, size) => Math.max(0, Math.min(C - size, Math.round(value)));

  function look(size, i, j) {
    const next = Math.max(Math.min(6, C), Math.min(C, Math.round(size)));
    view = { size: next, row: within(i - next / 2, next), column: within(j - next / 2, next) };
    lay();
  }

  function zoomed(factor) {
    const [a, b] = cursor ?? (app.state.chosen.kind === "cell" ? [app.state.chosen.a, app.state.chosen.b] : [data.order[view.row + (view.size >> 1)], data.order[view.column + (view.size >> 1)]]);
    look(Number.isFinite(factor) ? view.size * factor : C, place[a], place[b]);
  }

  function find(closest = false) {
    const asked = search.value.trim().toLowerCase();
    if (!asked) return;
    let a = data.classes.findIndex((name) => name.toLowerCase() === asked);
    if (a < 0 && closest) a = data.classes.findIndex((name) => name.toLowerCase().includes(asked));
    if (a < 0) return;
    let b = a === 0 ? 1 : 0;
    for (let c = 0; c < C; c++) if (shown[cellAt(a, c)] > (shown[cellAt(a, b)] || -Infinity)) b = c;
    look(Math.min(C, 24), place[a], place[b]);
    pointAt(a, b, true);
  }

  const under = (event) => {
    const box = area.getBoundingClientRect();
    const [i, j] = [(event.clientY - box.top - layout.above) / layout.cell, (event.clientX - box.left - layout.left) / layout.cell].map(Math.floor);
    return i >= 0 && j >= 0 && i < view.size && j < view.size ? [data.order[view.row + i], data.order[view.column + j]] : null;
  };
  area.addEventListener("pointermove", (event) => { const at = under(event); if (at) pointAt(...at, false); });
  area.addEventListener("click", (event) => { const at = under(event); if (at) choose(cellAt(...at)); });
  area.addEventListener("keydown", (event) => {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (event.key in steps) {
      const [i, j] = cursor ? [place[cursor[0]], place[cursor[1]]].map((at, k) => Math.max(0, Math.min(C - 1, at + steps[event.key][k]))) : [view.row, view.column];
      if (i < view.row || j < view.column || i >= view.row + view.size || j >= view.column + view.size) look(view.size, i, j);
      pointAt(data.order[i], data.order[j], true);
    } else if ((event.key === "Enter" || event.key === " ") && cursor) entered();
    else if (event.key === "+" || event.key === "=") zoomed(0.6);
    else if (event.key === "-") zoomed(1 / 0.6);
    else return;
    event.preventDefault();
  });

  function lay() {
    if (!drawing) return;
    const width = area.parentElement.clientWidth;
    if (!width) return;
    drawing.painted();
    layout = drawing.lay(view, width);
    area.style.height = `${layout.height}px`;
    repaint();
  }

  function repaint() {
    if (!app.numbers) return;
    likened(model, app.numbers);
    const { map, chosen } = app.state;
    const signed = map === "inherited";
    if (signed) for (let k = 0; k < moved.length; k++) moved[k] = above(arms.student.lift[k]) - above(arms.baseline.lift[k]);
    shown = signed ? moved : arms[map].lift;
    const sized = (value) => (signed ? Math.abs(value) : value);
    spared(arms[signed ? "teacher" : map], model);
    const [top, away] = signed ? inheritedCells() : [largestCells(ranked(map), LISTED, left), []];
    const strongest = shown.reduce((a, v, k) => (!left[k] && sized(v) > (a < 0 ? 0 : sized(shown[a])) ? k : a), -1);
    const vague = tell(top[0], strongest);
    if (!layout) return;
    const most = strongest < 0 ? 0 : sized(shown[strongest]);
    drawing.paint(shown, most, signed, few, vague);
    legendOf(most, signed, vague);
    write(title, signed ? words.inherited_pairs : filled(someFew && !allFew ? words.pairs_firm : words.pairs, { least: ROWS_EACH }));
    const luck = someFew ? `${filled(allFew ? words.map_all_few : words.map_few, { least: ROWS_EACH })} ` : "";
    write(note, luck + (vague ? `${words.inherited_pale} ` : "") + filled(signed ? words.inherited_map_note : words.map_note, { t: data.ordered_at, floor: percent(data.floor) }));
    write(none, signed ? words.inherited_unchanged : words.map_empty);
    none.hidden = top.length > 0;
    second.hidden = away.length === 0;
    rows.forEach((one, at) => fill(one, at < first ? top[at] : (signed ? away : top)[signed ? at - first : at], signed && at >= first));
    kept.hidden = chosen.kind !== "cell";
    if (chosen.kind === "cell") boxed(kept, chosen.a, chosen.b);
    if (cursor) { boxed(lit, ...cursor); write(pointer, describe(...cursor)); } else { lit.hidden = true; write(pointer, words.map_point); }
  }

  // What the teacher finds alike and the student came nearer to than the baseline is; and where it ended farther away. What one row makes is neither.
  function inheritedCells() {
    const nearer = moved.map((_, k) => (alike(arms.teacher.lift[k]) && alike(arms.teacher.spared[k]) && !byOneRow("teacher", k) ? far("baseline", k) - far("student", k) : NaN));
    const farther = moved.map((_, k) => ((alike(arms.teacher.lift[k]) || alike(arms.student.lift[k])) && !byOneRow("teacher", k) ? far("student", k) - far("baseline", k) : NaN));
    const least = (values, most) => largestCells(values, most, left).filter((k) => values[k] >= SEEN);
    return [least(nearer, NEARER), least(farther, LISTED - NEARER)];
  }

  function fill(one, cell, away) {
    one.cell = cell;
    one.element.hidden = cell === undefined;
    if (cell === undefined) return;
    const { map, chosen } = app.state;
    const signed = map === "inherited";
    const [a, b] = names_(cell);
    write(one.name, `${short(data.classes[a], 24)} → ${short(data.classes[b], 24)}`);
    ARMS.forEach((arm, k) => write(one.values[k], times(arms[arm].lift[cell])));
    const arm = signed ? "teacher" : map; // whose likeness the pair is listed for
    one.change.hidden = !signed;
    one.luck.hidden = !byOneRow(arm, cell);
    one.tags.hidden = one.change.hidden && one.luck.hidden;
    const by = times(Math.abs(far("student", cell) - far("baseline", cell)));
    write(one.change, signed ? filled(away ? words.inherited_away : words.inherited_nearer, { times: by }) : "");
    write(one.luck, one.luck.hidden ? "" : filled(words.one_row_makes, { times: times(arms[arm].spared[cell]) }));
    one.element.setAttribute("aria-pressed", String(chosen.kind === "cell" && chosen.a === a && chosen.b === b));
  }

  function legendOf(most, signed, vague) {
    const ramp_ = el("i", { class: `ramp${signed ? " moved" : ""}${vague ? " pale" : ""}` });
    const ends = signed ? [filled(words.less, { most: times(most) }), filled(words.more_often, { most: times(most) })] : [words.base_rate, filled(words.largest_cell, { most: times(most) })];
    const text = ends.join(" – ");
    if (legend.title === text && legend.childNodes[1].className === ramp_.className) return;
    legend.title = text;
    legend.replaceChildren(el("span", {}, ends[0]), ramp_, el("span", {}, ends[1]));
  }

  // Says what the map shows; true where the sentence is that it can't be told.
  function tell(top, strongest) {
    const { map } = app.state;
    if (C === 2) {
      const give = (arm, a, b) => percent(model.share(arm, cellAt(a, b)));
      say(finding, words.map_two, { arm: app.names[map], a: data.classes[0], b: data.classes[1], ab: give(map, 0, 1), ba: give(map, 1, 0), num_a: exact(model.rowsOf(1)), num_b: exact(model.rowsOf(C)), t: app.numbers.temperature });
      return false;
    }
    if (map === "inherited") {
      const [template, values] = inheritedSaid(app.numbers.inherited);
      say(finding, template, values);
      return ![words.inherited_note, words.inherited_wide, words.inherited_alone].includes(template);
    }
    const also = brightest(map, top, strongest);
    if (top === undefined) {
      say(finding, [words.map_empty, also.template].join(" ").trim(), also.values);
      return false;
    }
    const [a, b] = names_(top);
    say(finding, [words.map_finding, also.template].join(" ").trim(), { ...also.values, arm: app.names[map], a: data.classes[a], b: data.classes[b], times: times(arms[map].lift[top]), without: times(arms[map].spared[top]), teacher: times(arms.teacher.lift[top]), baseline: times(arms.baseline.lift[top]), student: times(arms.student.lift[top]), num: exact(model.rowsOf(top)), t: app.numbers.temperature });
    return false;
  }

  // The pair that is named is the largest without the row that counts most in each: the eye finds another where one row makes it.
  function brightest(arm, top, cell) {
    const { lift, spared: without } = arms[arm];
    if (cell < 0 || cell === top || !alike(lift[cell]) || !Number.isFinite(without[cell])) return { template: "" };
    if (top !== undefined && times(lift[cell]) === times(lift[top])) return { template: "" };
    const [from, to] = names_(cell).map((c) => data.classes[c]);
    return { template: byOneRow(arm, cell) ? words.map_brightest : words.map_brightest_less, values: { from, to, bright: times(lift[cell]), spared: times(without[cell]) } };
  }

  // No share of a way that is hardly there, or that these rows can't tell.
  function inheritedSaid(share) {
    if (share === null) return [words.inherited_none];
    const t = app.numbers.temperature;
    const way = arms.teacher.lift.reduce((most, v, k) => { const one = Math.abs(above(v) - above(arms.baseline.lift[k])); return one > most ? one : most; }, 0);
    if (way < LITTLE) return [words.inherited_little, { t, most: times(way) }];
    const between = inheritedBetween(model, share, (one, group) => liftWithout(one, model, group));
    const said_ = { t, share: whole(share), num: exact(model.N), classes: C, low: between && whole(between[0]), high: between && whole(between[1]) };
    if (model.N < ROWS_EACH * C) return [words.inherited_few, said_];
    if (between === null) return [words.inherited_alone, said_];
    if (!(between[0] > 0)) return [words.inherited_open, said_];
    return [between[1] - between[0] > WIDE_WAY ? words.inherited_wide : words.inherited_note, said_];
  }

  // What is ringed is what the rows are of: another choice than this card's takes the ring away.
  function update() {
    if (app.state.chosen !== ringed) cursor = null;
    ringed = app.state.chosen;
    repaint();
  }

  return { element, update, lay };
}

// Where the cards of answers with a map stand.
const aroundMap = ({ row, spread, rows, map, belief, classes }) => [
  // Rows stand between the map and the list of classes: what is chosen in either is answered beside it.
  el("div", { class: "grid first" }, row.element, spread.element), map.element, rows.element,
  el("div", { class: "grid" }, belief.element, classes.element),
];

// What a file keeps of a model: its shares of the row that is shown, and its map.
function sharesAndMap({ model, state: { row } }, arm) {
  const { C, arms } = model;
  spared(arms[arm], model);
  const { p, lift, spared: without } = arms[arm];
  return { row: p.subarray(row * C, (row + 1) * C), lift: square(lift.map(Math.exp), C), lift_without_top: square(without.map(Math.exp), C) };
}
