// One row: its content, and the way of its label over the teacher's shares to the student's.
// `kind`: drawn(row) -> lines {c, name, right, z: {teacher, student}}, rest {num, text} or null; share(arm, row, c), restShare(arm, row, lines);
// sentence(place, row, lines, stage), `staged` where it goes by the stage; formula(arm, row, c, lines) -> nodes, or none; scaled: shares are small, so a row begins with a full bar that
// stands for the step above its largest. T never moves that scale: a bar must shrink as its share does. The person may choose another.
const PACE = 3000; // ms for each stage that is played
const TOLD = { label: [], teacher: ["teacher"] }; // whose formulas a stage has, where not both
const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
function barsCard(app, kind) {
  const { words, model } = app;
  const content = el("div", { class: "content" });
  const bars = el("div", { class: "bars", role: "group", "aria-label": words.bars });
  const [sentence, scale] = [el("p", { class: "finding" }), el("p", { class: "quiet" })];
  const widths = el("select", { class: "widths", "aria-label": words.full_width, onchange: () => { full = Number(widths.value); asked = true; update(); } }, ...STEPS.toReversed().map((step) => el("option", { value: step }, filled(words.full_width_is, { share: whole(step) }))));
  const formulas = el("div", { class: "formulas" });
  const place = el("span", { class: "quiet" });
  const named = typeof model.ids[0] === "string";
  const number = named
    ? el("input", { type: "search", list: `${app.id}-ids`, "aria-label": words.row_number, onchange: () => app.showId(number.value) })
    : el("input", { type: "number", min: 1, "aria-label": words.row_number, onchange: () => app.showId(number.valueAsNumber) });
  const known = named ? el("datalist", { id: `${app.id}-ids` }, ...model.ids.map((id) => el("option", { value: id }))) : null;
  const walk = (step, label, sign) => el("button", { type: "button", "aria-label": label, title: label, onclick: () => app.walk(step) }, sign);
  const stages = [["both", words.stage_both], ["label", words.stage_label], ["teacher", app.names.teacher], ["student", app.names.student]];
  const stage = choice(`${app.id}-stage`, words.stage, stages, "both", (value) => become(value));
  const play = el("button", { type: "button", class: "play", title: words.play_keys, "aria-keyshortcuts": "p", onclick: () => playing() }, words.play);
  const next = el("button", { type: "button", title: words.play_keys, "aria-keyshortcuts": "n", onclick: () => stepped() }, words.play_next);
  const element = el(
    "section", { class: "card row", "aria-label": words.one_row, onkeydown: (event) => keyed(event) },
    el("div", { class: "head" }, el("h2", {}, words.one_row), el("div", { class: "walk" }, walk(-1, words.previous, "‹"), number, known, walk(1, words.next, "›"), place)),
    content, el("div", { class: "head" }, stage, el("div", { class: "tools" }, widths, play, next)), bars, scale, sentence, formulas,
  );
  let [lines, now, of, timer] = [[], "both", null, 0];
  let [full, asked] = [1, false]; // the share that a full bar stands for, and whether the person chose it

  function become(value) {
    now = value;
    bars.classList.add("morph");
    clearTimeout(become.later);
    become.later = setTimeout(() => bars.classList.remove("morph"), 800);
    for (const input of stage.querySelectorAll("input")) input.checked = input.value === value;
    bars.dataset.stage = value;
    sentence.style.minHeight = value === "both" ? "" : `${sentence.offsetHeight}px`;
    update();
  }

  const WAY = ["label", "teacher", "student", "both"];

  // Slow enough to speak over; it pauses where it is, and goes on from there.
  function playing() {
    if (timer) return paused();
    stepped();
    write(play, words.play_pause);
    timer = setInterval(() => { stepped(true); if (now === "both") paused(); }, PACE);
  }

  function paused() {
    clearInterval(timer);
    timer = 0;
    write(play, words.play);
  }

  function stepped(going = false) {
    if (!going) paused();
    become(WAY[(WAY.indexOf(now) + 1) % WAY.length]);
  }

  function keyed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select, input:not([type=radio])")) return;
    if (event.key === "n") stepped();
    else if (event.key === "p" && !window.matchMedia("(prefers-reduced-motion: reduce)").matches) playing();
  }

  function line(one) {
    const title = kind.formula ? filled(words.formula_for, { name: one.name }) : one.name;
    const pick = el("button", { type: "button", class: "class", title, onclick: () => { of = one.c; update(); } }, ...breakable(short(one.name, 30)));
    if (one.tag) pick.append(el("span", { class: "tag" }, one.tag));
    return { ...one, ...made(pick, one.right, one.z) };
  }

  const logitOf = (z) => el("span", { class: "z" }, z === undefined ? "" : `${words.logit} ${compact(z)}`);
  const note = () => (words.formula_note ? [el("p", { class: "quiet" }, words.formula_note)] : []);

  function made(head, right, z) {
    const [left, other, mark] = [el("i", { class: "fill teacher" }), el("i", { class: "fill student" }), el("i", { class: "mark", title: app.names.baseline }, "×")];
    const [numberLeft, numberRight] = [el("span", { class: "num" }), el("span", { class: "num" })];
    const box = el(
      "div", { class: right ? "line true" : "line" }, head, el("span", { class: "value" }, numberLeft, logitOf(z.teacher)),
      el("span", { class: "track near" }, left), el("span", { class: "track" }, other, mark), el("span", { class: "value" }, numberRight, logitOf(z.student)),
    );
    return { box, left, other, mark, numberLeft, numberRight };
  }

  function show(row) {
    const drawn = kind.drawn(row);
    of = drawn.lines[0].c;
    if (!asked) full = null; // by the row's shares at the T at which it is opened
    numbered(row);
    lines = drawn.lines.map(line);
    if (drawn.rest) lines.push({ c: null, of: drawn.lines.map((one) => one.c), ...made(el("span", { class: "class quiet" }, drawn.rest), false, {}) });
    const head = el(
      "div", { class: "line titles", "aria-hidden": "true" }, el("span"), el("span"), el("span", { class: "key teacher side" }, app.names.teacher),
      el("span", { class: "key-pair" }, el("span", { class: "key student" }, app.names.student), el("span", { class: "key baseline" }, app.names.baseline)), el("span"),
    );
    bars.dataset.stage = now;
    bars.replaceChildren(head, ...lines.map((one) => one.box));
    content.replaceChildren(...app.rows.whole(row));
  }

  const shareOf = (arm, row, one) => (one.c === null ? kind.restShare(arm, row, one.of) : kind.share(arm, row, one.c));

  function numbered(row) {
    number.value = model.ids[row];
  }

  function update() {
    const row = app.state.row;
    const single = now === "both" ? "student" : now;
    const shares = lines.map((one) => [shareOf("teacher", row, one), shareOf(single, row, one), shareOf("baseline", row, one)]);
    full ??= kind.scaled ? stepAbove(shares.filter((_, at) => lines[at].c !== null).flat()) : 1;
    widths.value = String(full);
    const wide = (share) => Math.min(100, (100 * share) / full);
    lines.forEach((one, at) => {
      const [t, s, b] = shares[at];
      one.left.style.width = `${wide(t)}%`;
      one.other.style.width = `${wide(s)}%`;
      one.mark.style.left = `${wide(b)}%`;
      one.left.classList.toggle("over", t > full);
      one.other.classList.toggle("over", s > full);
      one.mark.title = `${app.names.baseline} ${percent(b)}`;
      write(one.numberLeft, percent(t));
      write(one.numberRight, percent(s));
    });
    write(scale, full < 1 ? filled(words.enlarged, { share: whole(full) }) : "");
    // What a stage does not draw yet is told by no sentence either; their places stay, so that nothing below jumps.
    const told = TOLD[now] ?? ["teacher", "student"];
    kind.sentence(sentence, row, lines, now);
    sentence.classList.toggle("held", !kind.staged && told.length < 2);
    formulas.classList.toggle("held", !told.length);
    if (kind.formula) renew(formulas, ...told.map((arm) => el("p", {}, el("span", { class: `key ${arm}` }, app.names[arm]), " ", ...kind.formula(arm, row, of, lines))), ...note());
  }

  const stepAbove = (shares) => STEPS.find((step) => shares.every((share) => share <= step)) ?? 1;

  return {
    element, show, update, numbered,
    place: (at, num) => write(place, at < 0 ? words.place_out : filled(words.place, { at: exact(at + 1), num: exact(num) })),
    leave: () => [timer, become.later].forEach(clearTimeout),
  };
}

// e^(z / T) as nodes.
const powered = (z, t) => [el("i", {}, "e"), el("sup", {}, `${worked(z)} / ${t}`)];

// p = e^(z/T) / (e^(z/T) + ...) with a row's numbers: `others` of its `num` answers are written out; `total` is the sum below.
function shareFormula(words, name, z, others, num, t, total, share) {
  const below = [...powered(z, t), ...others.flatMap((other) => [" + ", ...powered(other, t)])];
  if (num > 1 + others.length) below.push(` + ${filled(words.more, { num: num - 1 - others.length })}`);
  return ["p(", short(name, 22), ") = ", ...powered(z, t), " / (", ...below, ") = ", `${worked(Math.exp(z / t))} / ${worked(total)} = `, el("b", {}, percent(share))];
}
