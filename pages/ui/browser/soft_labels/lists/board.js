// Rows that are ranked within a query: shares of one list, the orders side by side, and how good the orders of all queries are.
const DRAWN = 12;
const missing = (v) => (v === v ? v : -1); // a query without a relevant row has no quality

const SORTS = {
  ...BY_DISTANCE,
  lost: (model) => (i, j) => missing(model.arms.teacher.ndcg[j] - model.arms.student.ndcg[j]) - missing(model.arms.teacher.ndcg[i] - model.arms.student.ndcg[i]),
  alike: (model) => (i, j) => missing(model.alike.student[j]) - missing(model.alike.student[i]),
};

const HOLDS = {
  all: () => () => true,
  apart: ({ firstParted }) => (q) => firstParted[q] === 1,
  grade: ({ arms, grades }, { at }) => (q) => grades[arms.student.top[q]] === at,
  ndcg: ({ arms }, { bin, low, high }) => (q) => Number.isFinite(arms.student.ndcg[q]) && binOf(arms.student.ndcg[q], low, high) === bin,
  largest: ({ arms }, { bin, low, high }) => (q) => binOf(arms.teacher.largest[q], low, high) === bin,
};

const rowLine = ({ model, words }) => ({
  label: (q) => filled(words.labelled, { num: model.sizes[q] }),
  says: (arm, q) => `${filled(words.row_short, { row: model.numbers[model.arms[arm].top[q]] })} (${model.grades[model.arms[arm].top[q]]}) ${percent(model.arms[arm].largest[q])}`,
  far: (q) => model.apart[q],
});

// The rows of a query that the teacher likes best, and the first of the student.
function drawnRows({ start, arms }, q) {
  const all = Array.from({ length: start[q + 1] - start[q] }, (_, k) => start[q] + k);
  const ranked = (arm) => all.slice().sort((a, b) => arms[arm].z[b] - arms[arm].z[a] || a - b);
  const teacher = ranked("teacher");
  if (all.length <= DRAWN) return teacher;
  const kept = new Set([...teacher.slice(0, DRAWN - 2), ...ranked("student").slice(0, 2)]);
  return teacher.filter((i) => kept.has(i));
}

function listBars({ model, words, state }) {
  const { arms, grades, numbers, sizes, start } = model;
  const nameOf = (i) => filled(words.row_grade, { row: numbers[i], grade: String(grades[i]) });
  return {
    scaled: true,
    drawn(q) {
      const shown = drawnRows(model, q);
      const best = Math.max(...grades.subarray(start[q], start[q + 1]));
      const lines = shown.map((i) => ({ c: i, name: nameOf(i), right: best > 0 && grades[i] === best, z: { teacher: arms.teacher.z[i], student: arms.student.z[i] } }));
      return { lines, rest: shown.length < sizes[q] ? filled(words.others, { num: sizes[q] - shown.length }) : null };
    },
    share: (arm, q, i) => (arm === "label" ? model.label[i] : arms[arm].p[i]),
    restShare(arm, q, shown) {
      const p = arm === "label" ? model.label : arms[arm].p;
      return Math.max(0, 1 - shown.reduce((sum, i) => sum + p[i], 0));
    },
    sentence(place, q, lines) {
      const [first] = lines;
      say(place, words.row_list, { row: numbers[first.c], grade: String(grades[first.c]), teacher: percent(arms.teacher.p[first.c]), student: percent(arms.student.p[first.c]), baseline: percent(arms.baseline.p[first.c]), t: state.temperature });
    },
    formula(arm, q, i, lines) {
      const [t, { z, p }] = [state.temperature, arms[arm]];
      const others = lines.map((one) => one.c).filter((other) => other !== null && other !== i).slice(0, 2);
      return shareFormula(words, filled(words.row_short, { row: numbers[i] }), z[i], others.map((other) => z[other]), sizes[q], t, Math.exp(z[i] / t) / p[i], p[i]);
    },
  };
}

function gradesCard(app) {
  const { model, words } = app;
  return partedCard(app, {
    title: words.classes,
    heads: [words.class_label, words.by_grade, ...ARMS.map((arm) => app.names[arm])],
    lines: model.steps.map((grade, k) => ({ k, name: filled(words.grade, { grade: String(grade) }), chosen: { kind: "grade", at: grade, written: { grade: String(grade) } }, of: percent(model.labelByGrade[k]), shareNow: ({ arms }) => arms.student.byGrade[k] })),
    note: (place, { temperature }) => say(place, words.classes_note, { t: temperature }),
    values: ({ k }, { arms }) => ARMS.map((arm) => percent(arms[arm].byGrade[k])),
  });
}

function boardOf(app) {
  const { model, words } = app;
  const cards = {
    row: barsCard(app, listBars(app)),
    rows: rowsCard(app),
    orders: ordersCard(app),
    spread: spreadCard(app, [["ndcg", words.ndcg, 0, 1, (v) => v.toFixed(2)], ["largest", words.largest, 0, 1, percent]], (place, { arms, kl, temperature }) =>
      say(place, words.effective, { t: temperature, teacher: arms.teacher.ndcgMean.toFixed(3), student: arms.student.ndcgMean.toFixed(3), baseline: arms.baseline.ndcgMean.toFixed(3), kl: distance(kl.student), kl_baseline: distance(kl.baseline) })),
    grades: gradesCard(app),
  };
  cards.orders.show(app.state.row);
  return {
    cards,
    parts: [
      el("div", { class: "grid" }, cards.row.element, cards.orders.element), cards.rows.element,
      el("div", { class: "grid" }, cards.spread.element, cards.grades.element),
    ],
    shown: (row) => cards.orders.show(row),
    lead: (place, { arms, alike, temperature }) => say(place, words.lead, { t: temperature, num: exact(model.N), share: percent(arms.teacher.largestMean), student: percent(arms.student.largestMean), alike: percent(alike.student), alike_baseline: percent(alike.baseline) }),
    savedOf: (arm) => ({ row: model.arms[arm].p.subarray(model.start[app.state.row], model.start[app.state.row + 1]) }),
    saved: ({ kl, alike }) => ({ kl, alike, grades: model.steps, by_grade: model.labelByGrade, queries: model.ids, distance: model.apart }),
  };
}
