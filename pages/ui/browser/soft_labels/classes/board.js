// Classes of which one is right: shares of a row, how sure the models are, and which classes they find alike.
const DRAWN = 10;

const SORTS = { ...BY_DISTANCE, ...BY_DOUBT };

const HOLDS = {
  all: () => () => true,
  apart: ({ arms }) => (i) => arms.teacher.top[i] !== arms.student.top[i],
  class: ({ labels }, { a }) => (i) => labels[i] === a,
  cell: ({ labels }, { a }) => (i) => labels[i] === a,
  largest: ({ arms }, { bin, low, high }) => (i) => binOf(arms.teacher.largest[i], low, high) === bin,
  entropy: ({ arms }, { bin, low, high }) => (i) => binOf(arms.teacher.entropy[i], low, high) === bin,
};

// In a sentence a name that is a number is told from shares and counts.
const toldName = ({ data, words }, c) => {
  const name = data.classes[c];
  return name.trim() !== "" && Number.isFinite(Number(name)) ? filled(words.class_named, { name }) : name;
};

const rowLine = ({ data, model, words, state }) => ({
  label: (row) => filled(words.labelled, { label: short(data.classes[model.labels[row]], 28) }),
  says(arm, row) {
    const { top, p } = model.arms[arm];
    const share = (c) => filled(words.name_share, { name: short(data.classes[c], 24), share: percent(p[row * model.C + c]) });
    const { kind, b } = state.chosen;
    return kind === "cell" && b !== top[row] ? `${share(top[row])} · ${share(b)}` : share(top[row]);
  },
  far: (row) => model.apart[row],
});

// A model's runner-up.
function secondOf({ C, arms }, arm, row) {
  const z = arms[arm].z.subarray(row * C, (row + 1) * C);
  return z.reduce((best, v, c) => (c !== arms[arm].top[row] && (best < 0 || v > z[best]) ? c : best), -1);
}

// Likeliest for teacher and student, and the label, in the teacher's order; a temperature changes none of it.
function drawnClasses(model, row) {
  const { C, labels, arms } = model;
  const ranked = (arm) => {
    const z = arms[arm].z.subarray(row * C, (row + 1) * C);
    return Array.from(z.keys()).sort((a, b) => z[b] - z[a] || a - b);
  };
  const all = ranked("teacher");
  if (C <= DRAWN) return all;
  const kept = new Set([...all.slice(0, DRAWN - 3), ...ranked("student").slice(0, 2), labels[row]]);
  return all.filter((c) => kept.has(c));
}

function classBars(app) {
  const { data, model, words, state } = app;
  const { C, labels, arms } = model;
  const zOf = (arm, row, c) => arms[arm].z[row * C + c];
  return {
    drawn(row) {
      const shown = drawnClasses(model, row);
      const lines = shown.map((c) => ({ c, name: data.classes[c], right: labels[row] === c, tag: labels[row] === c ? words.label : "", z: { teacher: zOf("teacher", row, c), student: zOf("student", row, c) } }));
      return { lines, rest: shown.length < C ? filled(words.others, { num: C - shown.length }) : null };
    },
    share: (arm, row, c) => (arm === "label" ? Number(c === labels[row]) : arms[arm].p[row * C + c]),
    restShare: (arm, row, shown) => (arm === "label" ? 0 : Math.max(0, 1 - shown.reduce((sum, c) => sum + arms[arm].p[row * C + c], 0))),
    staged: true,
    sentence(place, row, lines, stage) {
      const [top, label] = [lines[0].c, labels[row]];
      const other = top === label ? lines[1].c : label;
      const share = (arm, c) => percent(arms[arm].p[row * C + c]);
      const first = arms.student.top[row];
      const named = first === top || first === other;
      const [next, s_next] = ["teacher", "student"].map((arm) => secondOf(model, arm, row));
      const unnamed = { teacher: ![top, other].includes(next), student: ![top, other, first].includes(s_next) };
      const teacher = [top === label ? words.agrees : words.disagrees, unnamed.teacher ? words.teacher_next : ""];
      const student = [named ? words.student_gives : words.student_answers, unnamed.student ? words.student_next : ""];
      say(place, ({ label: [words.label_alone], teacher }[stage] ?? [...teacher, ...student]).filter(Boolean).join(" "), {
        label: toldName(app, label), next: toldName(app, next), p_next: share("teacher", next), second: toldName(app, s_next), s_second: share("student", s_next), first: toldName(app, first), s_first: share("student", first), top: toldName(app, top), other: toldName(app, other), p_top: share("teacher", top), p_other: share("teacher", other), s_top: share("student", top), s_other: share("student", other),
      });
    },
    formula(arm, row, c) {
      const t = state.temperature;
      const others = drawnClasses(model, row).slice(0, 3).filter((other) => other !== c).slice(0, 2);
      const total = Math.exp(zOf(arm, row, arms[arm].top[row]) / t + arms[arm].logSum[row]);
      return shareFormula(words, data.classes[c], zOf(arm, row, c), others.map((other) => zOf(arm, row, other)), C, t, total, arms[arm].p[row * C + c]);
    },
  };
}

function classesCard(app) {
  const { data, model, words } = app;
  const { count, parted, arms, labels } = model;
  const order = Array.from(count.keys()).filter((c) => count[c]).sort((a, b) => parted[b] / count[b] - parted[a] / count[a] || count[b] - count[a] || a - b);
  const summed = new Float64Array(model.C);
  return partedCard(app, {
    title: words.classes,
    heads: [words.class_label, words.class_apart, words.class_effective],
    lines: order.map((c) => ({ c, name: data.classes[c], share: parted[c] / count[c], of: filled(words.of, { part: parted[c], whole: count[c] }), chosen: { kind: "class", a: c, written: { a: data.classes[c] } } })),
    note(place) {
      say(place, words.classes_note, { part: exact(model.partedAll), whole: exact(model.N) });
      summed.fill(0);
      labels.forEach((label, i) => { summed[label] += arms.teacher.entropy[i]; });
    },
    values: ({ c }) => [Math.exp(summed[c] / count[c]).toFixed(1)],
  });
}

function boardOf(app) {
  const { data, model, words } = app;
  const nats = (v) => v.toFixed(2);
  const cards = {
    row: barsCard(app, classBars(app)),
    rows: rowsCard(app),
    map: mapCard(app),
    spread: spreadCard(app, [["largest", words.largest, 1 / model.C, 1, percent], ["entropy", words.entropy, 0, Math.log(model.C), nats]], (place, { arms, kl, temperature }) =>
      say(place, words.effective, {
        t: temperature, teacher: arms.teacher.effective.toFixed(1), student: arms.student.effective.toFixed(1), baseline: arms.baseline.effective.toFixed(1), num: model.C,
        kl: distance(kl.student), kl_baseline: distance(kl.baseline),
      })),
    belief: beliefCard(app),
    classes: classesCard(app),
  };
  const atOne = measured(model, 1).arms.teacher.largestMean;
  return {
    cards,
    parts: aroundMap(cards),
    lead: (place, { arms, temperature }) => say(place, leadAt(app, temperature), { t: temperature, num: exact(model.N), share: percent(arms.teacher.largestMean), at_one: percent(atOne), effective: arms.teacher.effective.toFixed(1), student: arms.student.effective.toFixed(1) }),
    savedOf: (arm) => sharesAndMap(app, arm),
    saved: ({ kl, inherited }) => ({ classes: data.classes, kl, inherited, inherited_between: inheritedBetween(model, inherited, (one, group) => liftWithout(one, model, group)), rows: { number: model.ids, distance: model.apart, teacher_entropy: model.arms.teacher.entropy } }),
  };
}
