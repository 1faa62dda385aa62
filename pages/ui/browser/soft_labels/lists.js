// The rows that were chosen, in an order of choice, and the classes by how often student and teacher part ways on them.
const PAGE = 10;

const SORTS = {
  apart: (model) => (i, j) => model.apart[j] - model.apart[i],
  close: (model) => (i, j) => model.apart[i] - model.apart[j],
  undecided: (model) => (i, j) => model.arms.teacher.entropy[j] - model.arms.teacher.entropy[i],
  sure: (model) => (i, j) => model.arms.teacher.entropy[i] - model.arms.teacher.entropy[j],
  like: (model, { arm, b }) => (i, j) => model.arms[arm].p[j * model.C + b] - model.arms[arm].p[i * model.C + b],
};

const HOLDS = {
  all: () => () => true,
  apart: ({ arms }) => (i) => arms.teacher.top[i] !== arms.student.top[i],
  class: ({ labels }, { a }) => (i) => labels[i] === a,
  cell: ({ labels }, { a }) => (i) => labels[i] === a,
  largest: ({ arms }, { bin, low, high }) => (i) => binOf(arms.teacher.largest[i], low, high) === bin,
  entropy: ({ arms }, { bin, low, high }) => (i) => binOf(arms.teacher.entropy[i], low, high) === bin,
};

// Rows of a choice in their order; equal ones as in the file.
function rowsOf(model, chosen, sort) {
  const holds = HOLDS[chosen.kind](model, chosen);
  const found = [];
  for (let i = 0; i < model.N; i++) if (holds(i)) found.push(i);
  const before = SORTS[sort](model, chosen);
  return found.sort((i, j) => before(i, j) || i - j);
}

function rowsCard(app) {
  const { data, model, words } = app;
  const { C, labels, arms } = model;
  const title = el("p", { class: "finding" });
  const sorts = el("select", { "aria-label": words.sort, onchange: () => { app.state.sort = sorts.value; app.listed(true); } });
  const all = el("button", { type: "button", onclick: () => app.choose({ kind: "all" }) }, words.every_row);
  const apart = el("button", { type: "button", onclick: () => app.choose({ kind: "apart" }) }, words.disagreements);
  const list = el("ol", { class: app.rows.pictures ? "rows pictured" : "rows" });
  const more = el("button", { type: "button", class: "more", onclick: () => { limit += PAGE; app.listed(false); } }, words.more_rows);
  const element = el("section", { class: "card list", "aria-label": words.rows }, el("div", { class: "head" }, el("h2", {}, words.rows), el("div", { class: "tools" }, all, apart, sorts)), title, list, more);
  let [limit, lines] = [PAGE, []];

  function line() {
    const [number, label, far] = [el("span", { class: "quiet" }), el("span", { class: "label" }), el("i", { class: "far" })];
    const said_ = { teacher: el("span", { class: "key teacher" }), student: el("span", { class: "key student" }) };
    const brief = el("span", { class: "holder" });
    const one = { row: -1, number, label, far, said: said_, brief };
    one.button = el("button", { type: "button", onclick: () => app.show(one.row, true) }, brief, el("span", { class: "what" }, number, label), said_.teacher, said_.student, el("span", { class: "distance", title: words.distance }, far));
    one.element = el("li", {}, one.button);
    return one;
  }

  function fill(one, row) {
    if (one.row !== row) {
      one.row = row;
      write(one.number, filled(words.row, { row: exact(model.ids[row]) }));
      write(one.label, filled(words.labelled, { label: short(data.classes[labels[row]], 28) }));
      one.brief.replaceChildren(app.rows.brief(row));
    }
    for (const arm of ["teacher", "student"]) {
      const top = arms[arm].top[row];
      write(one.said[arm], `${short(data.classes[top], 24)} ${percent(arms[arm].p[row * C + top])}`);
    }
    one.far.style.width = `${100 * model.apart[row]}%`;
    one.button.setAttribute("aria-pressed", String(row === app.state.row));
  }

  return {
    element,
    fresh(chosen) {
      limit = PAGE;
      const options = chosen.kind === "cell" ? ["like", ...Object.keys(SORTS).filter((s) => s !== "like")] : Object.keys(SORTS).filter((s) => s !== "like");
      sorts.replaceChildren(...options.map((name) => el("option", { value: name }, words[`sort_${name}`])));
      sorts.value = app.state.sort;
      all.setAttribute("aria-pressed", String(chosen.kind === "all"));
      apart.setAttribute("aria-pressed", String(chosen.kind === "apart"));
    },
    update(rows, told) {
      write(title, told);
      const shown = rows.slice(0, limit);
      while (lines.length > shown.length) lines.pop().element.remove();
      while (lines.length < shown.length) {
        lines.push(line());
        list.append(lines.at(-1).element);
      }
      shown.forEach((row, at) => fill(lines[at], row));
      more.hidden = rows.length <= limit;
      write(more, filled(words.more_rows, { num: Math.min(PAGE, rows.length - limit), of: exact(rows.length) }));
    },
  };
}

function classesCard(app) {
  const { data, model, words } = app;
  const { C, count, parted, arms, labels } = model;
  const order = Array.from(count.keys()).filter((c) => count[c]).sort((a, b) => parted[b] / count[b] - parted[a] / count[a] || count[b] - count[a] || a - b);
  const summed = new Float64Array(C);
  const lines = order.map((c) => {
    const [bar, sure] = [el("i", { class: "far" }), el("span", { class: "num" })];
    bar.style.width = `${(100 * parted[c]) / count[c]}%`;
    const button = el("button", { type: "button", onclick: () => app.choose({ kind: "class", a: c }) }, el("span", { class: "name" }, short(data.classes[c], 30)), el("span", { class: "distance" }, bar), el("span", { class: "num" }, filled(words.of, { part: parted[c], whole: count[c] })), sure);
    return { c, sure, button };
  });
  const note = el("p", { class: "finding" });
  say(note, words.classes_note, { part: exact(model.partedAll), whole: exact(model.N) });
  return {
    element: el("section", { class: "card classes", "aria-label": words.classes }, el("div", { class: "head" }, el("h2", {}, words.classes)), note, el("div", { class: "titles", "aria-hidden": "true" }, el("span", {}, words.class_label), el("span"), el("span", {}, words.class_apart), el("span", {}, words.class_effective)), el("div", { class: "scroll" }, ...lines.map((one) => one.button))),
    update() {
      summed.fill(0);
      labels.forEach((label, i) => { summed[label] += arms.teacher.entropy[i]; });
      for (const { c, sure, button } of lines) {
        write(sure, Math.exp(summed[c] / count[c]).toFixed(1));
        button.setAttribute("aria-pressed", String(app.state.chosen.kind === "class" && app.state.chosen.a === c));
      }
    },
  };
}
