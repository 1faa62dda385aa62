// One row: its content, and truth and answers on one line, with the loss in this row's numbers.
function lineCard(app) {
  const { data, model, words } = app;
  const { arms, truth } = model;
  const content = el("div", { class: "content" });
  const place = el("span", { class: "quiet" });
  const number = el("input", { type: "number", min: 1, "aria-label": words.row_number, onchange: () => app.showId(number.valueAsNumber) });
  const walk = (step, label, sign) => el("button", { type: "button", "aria-label": label, title: label, onclick: () => app.walk(step) }, sign);
  const spots = Object.fromEntries(["label", ...ARMS].map((name) => [name, spot(name)]));
  const drawn_ = el("div", { class: "numberline", role: "group", "aria-label": words.bars }, ...Object.values(spots).map((one) => one.element));
  const [sentence, formulas] = [el("p", { class: "finding" }), el("div", { class: "formulas" })];
  const element = el(
    "section", { class: "card row", "aria-label": words.one_row },
    el("div", { class: "head" }, el("h2", {}, words.one_row), el("div", { class: "walk" }, walk(-1, words.previous, "‹"), number, walk(1, words.next, "›"), place)),
    content, drawn_, sentence, formulas,
  );

  function spot(name) {
    const [track, value] = [el("i", { class: `stick ${name}` }), el("b", { class: "num" })];
    const mark = el("i", { class: `dot ${name}` });
    const title = name === "label" ? words.stage_label : app.names[name];
    const gap = el("span", { class: "num quiet" });
    return { track, mark, value, gap, element: el("div", { class: `line amount ${name === "label" ? "true" : ""}` }, el("span", { class: `key ${name}` }, title), el("span", { class: "track" }, track, mark), value, gap) };
  }

  const valueOf = (name, row) => (name === "label" ? truth[row] : arms[name].value[row]);

  // From the smallest to the largest of what is drawn, with room at both sides; at least a tenth of the target's spread.
  function range(row) {
    const all = ["label", ...ARMS].map((name) => valueOf(name, row));
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const room = Math.max(0.15 * (high - low), 0.05 * model.unit);
    return [low - room, high + room];
  }

  function show(row) {
    number.value = model.ids[row];
    const [low, high] = range(row);
    const at = (v) => (100 * (v - low)) / (high - low);
    for (const [name, one] of Object.entries(spots)) {
      const here = valueOf(name, row);
      const [from, to] = [at(truth[row]), at(here)];
      one.mark.style.left = `${to}%`;
      Object.assign(one.track.style, { left: `${Math.min(from, to)}%`, width: `${Math.abs(to - from)}%` });
      write(one.value, amount(model, here));
      write(one.gap, name === "label" ? "" : signed(model, arms[name].off[row]));
    }
    content.replaceChildren(...app.rows.whole(row));
  }

  function update() {
    const { row, temperature: m } = app.state;
    const { teacher, student } = arms;
    const followed = model.followed[row] === 1;
    say(sentence, followed ? words.row_followed : words.row_let_go, {
      truth: amount(model, truth[row]), teacher: amount(model, Math.abs(teacher.off[row])), student: amount(model, Math.abs(student.off[row])), m,
    });
    const square_ = (v) => `(${compact(v)})²`;
    const [s, t] = [student.error[row], teacher.error[row]];
    const force = followed ? (student.z[row] - teacher.z[row]) ** 2 : 0;
    renew(
      formulas,
      el("p", {}, `g = [ (z`, el("sub", {}, "s"), " − y)² + m > (z", el("sub", {}, "t"), ` − y)² ] = [ ${square_(s)} + ${m} > ${square_(t)} ] = [ ${compact(s * s + m)} > ${compact(t * t)} ] = `, el("b", {}, followed ? "1" : "0")),
      el("p", {}, "g (z", el("sub", {}, "s"), " − z", el("sub", {}, "t"), `)² = ${followed ? 1 : 0} · ${square_(student.z[row] - teacher.z[row])} = `, el("b", {}, compact(force))),
      el("p", { class: "quiet" }, filled(words.scaled, { centre: amount(model, model.centre), unit: amount(model, model.unit), target: data.target })),
    );
  }

  return {
    element, show, update,
    numbered: (row) => { number.value = model.ids[row]; },
    place: (at, num) => write(place, at < 0 ? words.place_out : filled(words.place, { at: exact(at + 1), num: exact(num) })),
    leave() {},
  };
}
