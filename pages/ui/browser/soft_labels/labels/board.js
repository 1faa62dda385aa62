// Labels that stand alone: a row's labels by model, how many labels each would give, and which labels are taken for each other.
const DRAWN = 12;

const SORTS = { ...BY_DISTANCE, ...BY_DOUBT };

const HOLDS = {
  all: () => () => true,
  apart: ({ rowsParted }) => (i) => rowsParted[i] === 1,
  class: ({ has, C }, { a }) => (i) => has[i * C + a] === 1,
  cell: ({ has, C }, { a, b }) => (i) => has[i * C + a] === 1 && has[i * C + b] === 0,
  expected: ({ arms }, { bin, low, high }) => (i) => binOf(arms.teacher.expected[i], low, high) === bin,
  entropy: ({ arms }, { bin, low, high }) => (i) => binOf(arms.teacher.entropy[i], low, high) === bin,
};

function namesOf({ data, model, words }, row) {
  const own = data.classes.filter((_, c) => model.has[row * model.C + c]);
  return own.length ? own.join(", ") : words.no_label;
}

function rowLine(app) {
  const { data, model, words } = app;
  const saidBy = (arm, row) => data.classes.filter((_, c) => model.arms[arm].z[row * model.C + c] >= 0);
  return {
    label: (row) => filled(words.labelled, { label: short(namesOf(app, row), 40) }),
    says(arm, row) {
      const [names, { kind, b }] = [short(saidBy(arm, row).join(", ") || words.no_label, 40), app.state.chosen];
      return kind === "cell" ? `${names} · ${filled(words.name_share, { name: short(data.classes[b], 24), share: percent(model.arms[arm].p[row * model.C + b]) })}` : names;
    },
    far: (row) => model.apart[row],
  };
}

// The labels that a row has, then those of which a model is surest, in the teacher's order; a temperature changes none of it.
function drawnLabels({ C, has, arms }, row) {
  const z = (arm, c) => arms[arm].z[row * C + c];
  const surest = (c) => Math.max(...ARMS.map((arm) => z(arm, c)));
  const all = Array.from({ length: C }, (_, c) => c).sort((a, b) => has[row * C + b] - has[row * C + a] || surest(b) - surest(a) || a - b);
  return all.slice(0, DRAWN).sort((a, b) => z("teacher", b) - z("teacher", a) || a - b);
}

function labelBars(app) {
  const { data, model, words, state } = app;
  const { C, has, arms } = model;
  const at = (row, c) => row * C + c;
  return {
    drawn(row) {
      const lines = drawnLabels(model, row).map((c) => {
        const right = has[at(row, c)] === 1;
        return { c, name: data.classes[c], right, tag: right ? words.label : "", z: { teacher: arms.teacher.z[at(row, c)], student: arms.student.z[at(row, c)] } };
      });
      return { lines, rest: null };
    },
    share: (arm, row, c) => (arm === "label" ? has[at(row, c)] : arms[arm].p[at(row, c)]),
    sentence(place, row) {
      const count = (arm) => arms[arm].expected[row].toFixed(1);
      say(place, words.row_labels, { labels: namesOf(app, row), teacher: count("teacher"), student: count("student"), baseline: count("baseline"), apart: percent(model.apart[row]), left: Math.max(0, C - DRAWN), t: state.temperature });
    },
    formula(arm, row, c) {
      const [t, z] = [state.temperature, arms[arm].z[at(row, c)]];
      return ["p(", short(data.classes[c], 22), ") = 1 / (1 + ", ...powered(-z, t), ") = ", `1 / ${worked(1 + Math.exp(-z / t))} = `, el("b", {}, percent(arms[arm].p[at(row, c)]))];
    },
  };
}

function labelsCard(app) {
  const { data, model, words } = app;
  const { count, parted, N } = model;
  const order = Array.from(count.keys()).sort((a, b) => parted[b] - parted[a] || count[b] - count[a] || a - b);
  return partedCard(app, {
    title: words.classes,
    heads: [words.class_label, words.class_apart, words.has_it, ...ARMS.map((arm) => app.names[arm])],
    lines: order.map((c) => ({ c, name: data.classes[c], share: parted[c] / N, of: filled(words.of, { part: parted[c], whole: N }), chosen: { kind: "class", a: c, written: { a: data.classes[c] } } })),
    note: (place) => say(place, words.classes_note, { part: exact(model.partedAll), whole: exact(N) }),
    values: ({ c }, { arms }) => [percent(count[c] / N), ...ARMS.map((arm) => percent(arms[arm].byLabel[c]))],
  });
}

function boardOf(app) {
  const { data, model, words } = app;
  const { C, has } = model;
  const number = (v) => v.toFixed(2);
  const cards = {
    row: barsCard(app, labelBars(app)),
    rows: rowsCard(app),
    map: mapCard(app),
    spread: spreadCard(app, [["expected", words.expected, 0, C, number], ["entropy", words.entropy, 0, C * Math.log(2), number]], (place, { arms, kl, temperature }) =>
      say(place, words.effective, { t: temperature, teacher: number(arms.teacher.entropyMean), student: number(arms.student.entropyMean), baseline: number(arms.baseline.entropyMean), kl: distance(kl.student), kl_baseline: distance(kl.baseline) })),
    belief: beliefCard(app),
    classes: labelsCard(app),
  };
  const held = has.reduce((a, b) => a + b, 0) / model.N;
  const atOne = measured(model, 1).arms.teacher.expectedMean;
  return {
    cards,
    parts: aroundMap(cards),
    lead: (place, { arms, temperature }) => say(place, leadAt(app, temperature), { t: temperature, num: exact(model.N), teacher: number(arms.teacher.expectedMean), at_one: number(atOne), student: number(arms.student.expectedMean), has: number(held) }),
    savedOf: (arm) => sharesAndMap(app, arm),
    saved: ({ kl, inherited }) => ({ labels: data.classes, kl, inherited, inherited_between: inheritedBetween(model, inherited, (one, group) => liftWithout(one, model, group)), rows: { number: model.ids, distance: model.apart } }),
  };
}
