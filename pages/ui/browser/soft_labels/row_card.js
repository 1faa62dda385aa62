// One row: its content, and the way of its label over the teacher's shares to the student's.
const DRAWN = 10;

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

function rowCard(app) {
  const { data, model, words } = app;
  const { C, labels, arms } = model;
  const content = el("div", { class: "content" });
  const bars = el("div", { class: "bars", role: "group", "aria-label": words.bars });
  const sentence = el("p", { class: "finding" });
  const formulas = el("div", { class: "formulas" });
  const place = el("span", { class: "quiet" });
  const number = el("input", { type: "number", min: 1, "aria-label": words.row_number, onchange: () => app.showId(number.valueAsNumber) });
  const walk = (step, label, sign) => el("button", { type: "button", "aria-label": label, title: label, onclick: () => app.walk(step) }, sign);
  const stages = [["both", words.stage_both], ["label", words.stage_label], ["teacher", app.names.teacher], ["student", app.names.student]];
  const stage = choice(`${app.id}-stage`, words.stage, stages, "both", (value) => become(value));
  const play = el("button", { type: "button", class: "play", onclick: () => playAll() }, words.play);
  const element = el(
    "section", { class: "card row", "aria-label": words.one_row },
    el("div", { class: "head" }, el("h2", {}, words.one_row), el("div", { class: "walk" }, walk(-1, words.previous, "‹"), number, walk(1, words.next, "›"), place)),
    content, el("div", { class: "head" }, stage, play), bars, sentence, formulas,
  );
  let [lines, now, of, timers] = [[], "both", null, []];

  function become(value) {
    now = value;
    bars.classList.add("morph");
    clearTimeout(become.later);
    become.later = setTimeout(() => bars.classList.remove("morph"), 800);
    for (const input of stage.querySelectorAll("input")) input.checked = input.value === value;
    bars.dataset.stage = value;
    update();
  }

  function playAll() {
    timers.forEach(clearTimeout);
    timers = ["label", "teacher", "student", "both"].map((value, at) => setTimeout(() => become(value), 1100 * at));
  }

  function line(c, row) {
    const right = labels[row] === c;
    const name = data.classes[c];
    const pick = el("button", { type: "button", class: "class", title: filled(words.formula_for, { name }), onclick: () => { of = c; update(); } }, ...breakable(short(name, 30)));
    if (right) pick.append(el("span", { class: "tag" }, words.label));
    return made(c, pick, right, [compact(arms.teacher.z[row * C + c]), compact(arms.student.z[row * C + c])]);
  }

  const logitOf = (z) => el("span", { class: "z" }, z === "" ? "" : `${words.logit} ${z}`);

  function made(c, head, right, [zTeacher, zStudent]) {
    const [left, other, mark] = [el("i", { class: "fill teacher" }), el("i", { class: "fill student" }), el("i", { class: "mark", title: app.names.baseline }, "×")];
    const [numberLeft, numberRight] = [el("span", { class: "num" }), el("span", { class: "num" })];
    const box = el(
      "div", { class: right ? "line true" : "line" }, head, el("span", { class: "value" }, numberLeft, logitOf(zTeacher)),
      el("span", { class: "track near" }, left), el("span", { class: "track" }, other, mark), el("span", { class: "value" }, numberRight, logitOf(zStudent)),
    );
    return { c, box, left, other, mark, numberLeft, numberRight };
  }

  function show(row) {
    const shown = drawnClasses(model, row);
    [of] = shown;
    number.value = model.ids[row];
    lines = shown.map((c) => line(c, row));
    if (shown.length < C) {
      const rest = made(null, el("span", { class: "class quiet" }, filled(words.others, { num: C - shown.length })), false, ["", ""]);
      rest.without = shown;
      lines.push(rest);
    }
    const head = el(
      "div", { class: "line titles", "aria-hidden": "true" }, el("span", { class: "key baseline" }, app.names.baseline), el("span"), el("span", { class: "key teacher side" }, app.names.teacher),
      el("span", { class: "key student" }, app.names.student), el("span"),
    );
    bars.dataset.stage = now;
    bars.replaceChildren(head, ...lines.map((one) => one.box));
    content.replaceChildren(...app.rows.whole(row));
  }

  function shareOf(arm, row, one) {
    if (arm === "label") return one.c === labels[row] ? 1 : 0;
    const { p } = arms[arm];
    if (one.c !== null) return p[row * C + one.c];
    return Math.max(0, 1 - one.without.reduce((sum, c) => sum + p[row * C + c], 0));
  }

  function update() {
    const row = app.state.row;
    const single = now === "both" ? "student" : now;
    for (const one of lines) {
      const [t, s, b] = [shareOf("teacher", row, one), shareOf(single, row, one), shareOf("baseline", row, one)];
      one.left.style.width = `${100 * t}%`;
      one.other.style.width = `${100 * s}%`;
      one.mark.style.left = `${100 * b}%`;
      write(one.numberLeft, percent(t));
      write(one.numberRight, percent(s));
    }
    sentenceOf(row);
    formulasOf(row);
  }

  function sentenceOf(row) {
    const [first, second] = lines;
    const top = first.c;
    const label = labels[row];
    const other = top === label ? second.c : label;
    const share = (arm, c) => percent(arms[arm].p[row * C + c]);
    say(sentence, top === label ? words.right : words.wrong, {
      top: data.classes[top], other: data.classes[other], p_top: share("teacher", top), p_other: share("teacher", other),
      s_top: share("student", top), s_other: share("student", other),
    });
  }

  function formulasOf(row) {
    formulas.replaceChildren(...["teacher", "student"].map((arm) => formulaOf(arm, row)));
  }

  // p = e^(z/T) / (e^(z/T) + ...) with this row's numbers: the two largest others are written out.
  function formulaOf(arm, row) {
    const t = app.state.temperature;
    const z = arms[arm].z.subarray(row * C, (row + 1) * C);
    const term = (value) => [el("i", {}, "e"), el("sup", {}, `${compact(value)} / ${t}`)];
    const others = [0, 1, 2].map((at) => drawnClasses(model, row)[at]).filter((c) => c !== undefined && c !== of).slice(0, 2);
    const most = z[arms[arm].top[row]];
    const total = Math.exp(most / t + arms[arm].logSum[row]);
    const below = [...term(z[of]), ...others.flatMap((c) => [" + ", ...term(z[c])])];
    if (C > 1 + others.length) below.push(` + ${filled(words.more, { num: C - 1 - others.length })}`);
    return el(
      "p", {}, el("span", { class: `key ${arm}` }, app.names[arm]), " p(", short(data.classes[of], 22), ") = ", ...term(z[of]), " / (", ...below, ") = ",
      `${compact(Math.exp(z[of] / t))} / ${compact(total)} = `, el("b", {}, percent(arms[arm].p[row * C + of])),
    );
  }

  return {
    element, show, update,
    place: (at, num) => write(place, at < 0 ? "" : filled(words.place, { at: exact(at + 1), num: exact(num) })),
    leave: () => [...timers, become.later].forEach(clearTimeout),
  };
}
