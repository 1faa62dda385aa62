// Answers that are numbers: how far off each model is, where student and teacher are off alike, and on which rows a bound lets the teacher go.
const SORTS = {
  ...BY_DISTANCE,
  teacher_off: (model) => (i, j) => Math.abs(model.arms.teacher.off[j]) - Math.abs(model.arms.teacher.off[i]),
  student_off: (model) => (i, j) => Math.abs(model.arms.student.off[j]) - Math.abs(model.arms.student.off[i]),
};

const HOLDS = {
  all: () => () => true,
  apart: ({ followed }) => (i) => followed[i] === 0,
  tenth: ({ tenth }, { at }) => (i) => tenth[i] === at,
  off: ({ arms }, { bin, low, high }) => (i) => binOf(arms.student.off[i], low, high) === bin,
  brushed: ({}, { rows }) => (i) => rows.has(i),
};

const rowLine = ({ model, words }) => ({
  label: (row) => filled(words.labelled, { label: amount(model, model.truth[row]) }),
  says: (arm, row) => `${amount(model, model.arms[arm].value[row])} (${signed(model, model.arms[arm].off[row])})`,
  far: (row) => model.apart[row],
});

function tenthsCard(app) {
  const { model, words } = app;
  const { order, truth, tenth, fixed } = model;
  const lines = Array.from({ length: TENTHS }, (_, at) => {
    const rows = order.filter((i) => tenth[i] === at);
    if (!rows.length) return null;
    const [low, high] = [truth[rows[0]], truth[rows.at(-1)]].map((v) => amount(model, v));
    const name = filled(words.tenth, { low, high });
    return { at, name, of: exact(fixed.rowsOf[at]), chosen: { kind: "tenth", at, written: { low, high } }, shareNow: ({ followedByTenth }) => 1 - followedByTenth[at] };
  }).filter(Boolean);
  return partedCard(app, {
    title: words.classes,
    heads: [words.class_label, words.tenth_rows, ...ARMS.map((arm) => app.names[arm]), words.let_go],
    lines,
    note: (place, { arms }) => say(place, words.classes_note, { teacher: amount(model, arms.teacher.meanOff), student: amount(model, arms.student.meanOff), baseline: amount(model, arms.baseline.meanOff) }),
    values: ({ at }, numbers) => [...ARMS.map((arm) => amount(model, numbers.arms[arm].byTenth[at])), whole(1 - numbers.followedByTenth[at])],
  });
}

function boardOf(app) {
  const { data, model, words } = app;
  const { reach, N } = model;
  const cards = {
    row: lineCard(app),
    rows: rowsCard(app),
    plane: planeCard(app),
    spread: spreadCard(app, [["off", words.off, -reach, reach, (v) => signed(model, v)]], (place, { arms }) =>
      say(place, words.effective, { student: amount(model, arms.student.fromTeacher), baseline: amount(model, arms.baseline.fromTeacher), alike: arms.student.alike.toFixed(2), alike_baseline: arms.baseline.alike.toFixed(2) })),
    tenths: tenthsCard(app),
  };
  return {
    cards,
    parts: [
      el("div", { class: "grid first" }, cards.plane.element, cards.row.element), cards.rows.element,
      el("div", { class: "grid" }, cards.spread.element, cards.tenths.element),
    ],
    shown: () => cards.plane.lay(),
    lead: (place, numbers) => say(place, data.bounded ? words.lead_bounded : words.lead, { m: numbers.temperature, let_go: percent(1 - numbers.followed), pull: percent(1 - numbers.pull), better: percent(numbers.better) }),
    saved({ followed, pull, better }) {
      const rows = { number: model.ids, truth: model.truth, followed: model.followed, ...Object.fromEntries(ARMS.map((arm) => [arm, model.arms[arm].value])) };
      return { followed, pull, better, rows_of: N, rows };
    },
  };
}
