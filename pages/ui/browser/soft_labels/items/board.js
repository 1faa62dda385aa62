// Answers that choose among a whole catalogue: a history, the first items of every model by name, and what all others have together.
const DRAWN = 11;

const SORTS = { ...BY_DISTANCE, ...BY_DOUBT };

const HOLDS = {
  all: () => () => true,
  apart: ({ firstParted }) => (i) => firstParted[i] === 1,
  place: ({ arms, truth }, { at }) => (i) => (truth[i] < 0 ? PLACES.length : placeOf(arms.student.place[i])) === at,
  largest: ({ arms }, { bin, low, high }) => (i) => binOf(arms.teacher.largest[i], low, high) === bin,
  beyond: ({ arms }, { bin, low, high }) => (i) => binOf(arms.teacher.beyond[i], low, high) === bin,
};

const itemName = ({ data, words }, item) => (item < 0 ? words.unseen : data.items[data.at[item]] ?? words.unseen);

const rowLine = (app) => ({
  label: (row) => filled(app.words.labelled, { label: short(itemName(app, app.model.truth[row]), 28) }),
  says(arm, row) {
    const { items, p } = app.model.arms[arm];
    return filled(app.words.name_share, { name: short(itemName(app, items[row * app.model.K]), 24), share: percent(p[row * app.model.K]) });
  },
  far: (row) => app.model.apart[row],
});

// The teacher's first items, the student's first three, and the right one, in the teacher's order.
function drawnItems({ K, arms, truth }, row) {
  const first = (arm, most) => Array.from(arms[arm].items.subarray(row * K, row * K + Math.min(most, K)));
  const found = new Set([...first("teacher", DRAWN - 4), ...first("student", 3)]);
  if (truth[row] >= 0) found.add(truth[row]);
  const place = (item) => arms.teacher.at[row].get(item) ?? Infinity;
  return Array.from(found).sort((a, b) => place(a) - place(b) || a - b);
}

function itemBars(app) {
  const { model, words, state } = app;
  const { K, total, arms, truth } = model;
  const logOf = (arm, row, item) => {
    const at = arms[arm].at[row].get(item);
    return at === undefined ? arms[arm].rest[row] : arms[arm].log[row * K + at];
  };
  const share = (arm, row, item) => (arm === "label" ? Number(item === truth[row]) : shareOfItem(arms[arm], K, row, item));
  return {
    scaled: true,
    drawn(row) {
      const shown = drawnItems(model, row);
      const lines = shown.map((item) => ({ c: item, name: itemName(app, item), right: item === truth[row], tag: item === truth[row] ? words.label : "", z: { teacher: logOf("teacher", row, item), student: logOf("student", row, item) } }));
      return { lines, rest: shown.length < total ? filled(words.others, { num: exact(total - shown.length) }) : null };
    },
    share,
    restShare: (arm, row, shown) => Math.max(0, 1 - shown.reduce((sum, item) => sum + share(arm, row, item), 0)),
    sentence(place, row, lines) {
      const spot = (arm) => (arms[arm].place[row] === Infinity ? words.no_place : filled(words.at_place, { place: arms[arm].place[row] }));
      const top = lines[0].c;
      const values = { top: itemName(app, top), p_top: percent(share("teacher", row, top)), s_top: percent(share("student", row, top)), right: itemName(app, truth[row]), teacher: spot("teacher"), student: spot("student"), baseline: spot("baseline"), t: state.temperature };
      say(place, truth[row] < 0 ? words.row_unseen : words.row_items, values);
    },
    formula(arm, row, item, lines) {
      const t = state.temperature;
      const z = logOf(arm, row, item);
      const others = lines.map((one) => one.c).filter((other) => other !== null && other !== item).slice(0, 2);
      const p = share(arm, row, item);
      return shareFormula(words, itemName(app, item), z, others.map((other) => logOf(arm, row, other)), total, t, Math.exp(z / t) / p, p);
    },
  };
}

function placesCard(app) {
  const { model, words } = app;
  const { places, N } = model;
  const names = [words.place_1, words.place_3, words.place_10, words.place_100, words.place_none, words.place_unseen];
  return partedCard(app, {
    title: words.classes,
    heads: [words.class_label, app.names.student, app.names.teacher, app.names.baseline],
    lines: names.map((name, at) => ({ at, name, share: places.student[at] / N, of: exact(places.student[at]), chosen: { kind: "place", at, written: { place: name } } })).filter(({ at }) => ARMS.some((arm) => places[arm][at])),
    note: (place, { arms, shared: same }) => say(place, words.classes_note, { teacher: percent(arms.teacher.hit), student: percent(arms.student.hit), baseline: percent(arms.baseline.hit), same: (TOP * same).toFixed(1) }),
    values: ({ at }) => [exact(places.teacher[at]), exact(places.baseline[at])],
  });
}

function boardOf(app) {
  const { data, model, words } = app;
  const cards = {
    row: barsCard(app, itemBars(app)),
    rows: rowsCard(app),
    spread: spreadCard(app, [["largest", words.largest, 0, 1, percent], ["beyond", words.beyond, 0, 1, percent]], (place, { arms, kl, temperature }) =>
      say(place, words.effective, { t: temperature, teacher: exact(Math.round(arms.teacher.effective)), student: exact(Math.round(arms.student.effective)), baseline: exact(Math.round(arms.baseline.effective)), num: exact(model.total), kl: distance(kl.student), kl_baseline: distance(kl.baseline) })),
    places: placesCard(app),
  };
  const atOne = measured(model, 1).arms.teacher.beyondMean;
  return {
    cards,
    parts: [el("div", { class: "grid first" }, cards.row.element, el("div", { class: "stack" }, cards.spread.element, cards.places.element)), cards.rows.element],
    lead: (place, { arms, temperature }) => say(place, leadAt(app, temperature), { t: temperature, rows: exact(model.N), share: percent(arms.teacher.largestMean), beyond: percent(arms.teacher.beyondMean), at_one: percent(atOne), num: exact(Math.max(0, model.total - TOP)), student: percent(arms.student.beyondMean) }),
    savedOf(arm) {
      const [one, { row }] = [model.arms[arm], app.state];
      const own = Array.from({ length: model.K }, (_, k) => [itemName(app, one.items[row * model.K + k]), one.p[row * model.K + k]]);
      return { row: own, each: one.each[row], places: model.places[arm] };
    },
    saved: ({ kl, shared: same }) => ({ catalogue: data.catalogue, kl, shared: same, rows: { number: model.ids, distance: model.apart } }),
  };
}
