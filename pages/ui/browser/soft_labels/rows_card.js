// The rows that were chosen, in an order of choice.
const PAGE = window.matchMedia("(max-width: 640px)").matches ? 5 : 10;

// Orders that several kinds of answers have: how far student and teacher are apart, how undecided the teacher is.
const BY_DISTANCE = {
  apart: (model) => (i, j) => model.apart[j] - model.apart[i],
  close: (model) => (i, j) => model.apart[i] - model.apart[j],
};
const BY_DOUBT = {
  undecided: (model) => (i, j) => model.arms.teacher.entropy[j] - model.arms.teacher.entropy[i],
  sure: (model) => (i, j) => model.arms.teacher.entropy[i] - model.arms.teacher.entropy[j],
};
// Of a cell of the map alone: what a model gives to the class that is taken for another.
const OF_A_CELL = {
  like: (model, { arm, b }) => (i, j) => model.arms[arm].p[j * model.C + b] - model.arms[arm].p[i * model.C + b],
};

const ordersOf = ({ kind }) => ({ ...(kind === "cell" ? OF_A_CELL : {}), ...SORTS });
const sortsOf = (chosen) => Object.keys(ordersOf(chosen));

// Rows of a choice in their order; equal ones as in the file.
function rowsOf(model, chosen, sort) {
  const holds = HOLDS[chosen.kind](model, chosen);
  const found = [];
  for (let i = 0; i < model.N; i++) if (holds(i)) found.push(i);
  const before = ordersOf(chosen)[sort](model, chosen);
  return found.sort((i, j) => before(i, j) || i - j);
}

function rowsCard(app) {
  const { model, words } = app;
  const kind = rowLine(app);
  const title = el("p", { class: "finding", tabindex: -1 });
  const sorts = el("select", { "aria-label": words.sort, onchange: () => { app.state.sort = sorts.value; app.listed(true); } });
  const all = el("button", { type: "button", onclick: () => app.choose({ kind: "all" }) }, words.every_row);
  const apart = el("button", { type: "button", onclick: () => app.choose({ kind: "apart" }) }, words.disagreements);
  const list = el("ol", { class: app.rows.pictures ? "rows pictured" : "rows" });
  const more = el("button", { type: "button", class: "more", onclick: () => { limit += PAGE; app.listed(false); } }, words.more_rows);
  const element = el("section", { class: "card list", "aria-label": words.rows }, el("div", { class: "head" }, el("h2", {}, words.rows), el("div", { class: "tools" }, all, apart, sorts)), title, el("p", { class: "quiet apart" }, words.apart_bars), list, more);
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
      write(one.number, filled(words.row, { row: model.ids[row] }));
      write(one.label, kind.label(row));
      one.brief.replaceChildren(app.rows.brief(row));
    }
    for (const arm of ["teacher", "student"]) write(one.said[arm], kind.says(arm, row));
    one.far.style.width = `${100 * kind.far(row)}%`;
    one.button.setAttribute("aria-pressed", String(row === app.state.row));
  }

  return {
    element,
    focus: () => (lines[0]?.button ?? title).focus({ preventScroll: true }),
    fresh(chosen) {
      limit = PAGE;
      sorts.replaceChildren(...sortsOf(chosen).map((name) => el("option", { value: name }, words[`sort_${name}`])));
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
