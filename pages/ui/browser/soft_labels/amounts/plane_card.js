// Every row as a point: errors of teacher and student against each other, with the region where the bound lets go of the teacher; or answers
// against truth; or errors against answers. A rectangle drawn over points lists their rows.
const [TALL, EDGE] = [470, 46];

function planeCard(app) {
  const { model, words, data } = app;
  const { arms, truth, reach } = model;
  const [cells, box] = [el("canvas", { "aria-hidden": "true" }), el("i", { class: "kept", hidden: true })];
  const area = el("div", { class: "map plane", tabindex: 0, role: "application", "aria-label": `${words.plane}. ${words.plane_keys}` }, cells, box);
  const keys = keysOf(app, ["teacher", "student"]);
  const [pointer, note] = [el("p", { class: "pointer" }), el("p", { class: "quiet" })];
  const kinds = ["errors", "answers", "residuals"].map((name) => [name, words[VIEWS[name].title]]);
  const kind = choice(`${app.id}-plane`, words.plane_of, kinds, "errors", (value) => { view = value; box.hidden = true; cursor = -1; paint(); });
  const element = el("section", { class: "card planecard", "aria-label": words.plane }, el("div", { class: "head" }, el("h2", {}, words.plane), kind), note, keys, area, pointer);
  let [view, cursor, from, frame] = ["errors", -1, null, null];

  const clipped = (v) => Math.max(-reach, Math.min(reach, v));
  const ends = [truth, ...ARMS.map((arm) => arms[arm].value)].reduce(([low, high], values) => [values.reduce((a, b) => Math.min(a, b), low), values.reduce((a, b) => Math.max(a, b), high)], [Infinity, -Infinity]);

  // Where a row stands for a model, in the units of the axes.
  const at = {
    errors: (arm, i) => [clipped(arms.teacher.off[i]), clipped(arms.student.off[i])],
    answers: (arm, i) => [truth[i], arms[arm].value[i]],
    residuals: (arm, i) => [arms[arm].value[i], clipped(arms[arm].off[i])],
  };
  const drawnArms = () => (view === "errors" ? ["student"] : ["teacher", "student"]);

  function scales() {
    const width = area.clientWidth;
    const [x, y] = { errors: [[-reach, reach], [-reach, reach]], answers: [ends, ends], residuals: [ends, [-reach, reach]] }[view];
    const across = (v) => EDGE + ((v - x[0]) / (x[1] - x[0] || 1)) * (width - EDGE - 10);
    const up = (v) => TALL - EDGE + 8 - ((v - y[0]) / (y[1] - y[0] || 1)) * (TALL - EDGE - 2);
    return { width, x, y, across, up };
  }

  // Inside |student's error| < sqrt(teacher's error^2 - m) the student is better by more than the margin: the teacher is let go.
  function region(context, { across, up }) {
    const m = Math.sqrt(app.state.temperature) * model.unit;
    if (m >= reach) return;
    context.fillStyle = app.style("--st-secondary-background-color");
    for (const side of [-1, 1]) {
      const points = Array.from({ length: 41 }, (_, k) => m + ((reach - m) * k) / 40).map((t) => [side * t, Math.sqrt(Math.max(0, t * t - m * m))]);
      context.beginPath();
      for (const [t, s] of points) context.lineTo(across(t), up(s));
      for (const [t, s] of points.slice().reverse()) context.lineTo(across(t), up(-s));
      context.closePath();
      context.fill();
      context.stroke();
    }
  }

  function axes(context, { width, x, y, across, up }) {
    context.fillStyle = app.style("--st-gray-text-color") || app.style("--st-text-color");
    context.strokeStyle = context.fillStyle;
    context.font = `12px ${app.style("--st-font") || "sans-serif"}`;
    context.globalAlpha = 0.5;
    context.beginPath();
    const line = (...points) => points.forEach(([a, b], k) => (k ? context.lineTo(across(a), up(b)) : context.moveTo(across(a), up(b))));
    if (view === "answers") line([x[0], x[0]], [x[1], x[1]]);
    else line([x[0], 0], [x[1], 0]);
    if (view === "errors") { line([0, y[0]], [0, y[1]]); line([-reach, -reach], [reach, reach]); }
    context.stroke();
    context.globalAlpha = 1;
    context.textBaseline = "top";
    [x[0], (x[0] + x[1]) / 2, x[1]].forEach((v, k) => { context.textAlign = ["left", "center", "right"][k]; context.fillText(amount(model, v), across(v), TALL - EDGE + 12); });
    context.textAlign = "center";
    const [titleX, titleY] = VIEWS[view].axes.map((name) => filled(words[name], { target: data.target }));
    context.fillText(titleX, (width + EDGE) / 2, TALL - 18);
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const v of [y[0], (y[0] + y[1]) / 2, y[1]]) context.fillText(amount(model, v), EDGE - 5, Math.min(TALL - EDGE, Math.max(8, up(v))));
    context.save();
    context.translate(9, (TALL - EDGE) / 2);
    context.rotate(-Math.PI / 2);
    context.textAlign = "center";
    context.fillText(titleY, 0, 0);
    context.restore();
  }

  function dot(context, arm, x, y, size) {
    context.beginPath();
    if (arm === "teacher") context.rect(x - size, y - size, 2 * size, 2 * size);
    else context.arc(x, y, size * 1.1, 0, 2 * Math.PI);
    context.fill();
  }

  function paint() {
    const width = area.clientWidth;
    if (!width || !app.numbers) return;
    const dense = window.devicePixelRatio || 1;
    [cells.width, cells.height] = [Math.round(width * dense), Math.round(TALL * dense)];
    Object.assign(cells.style, { width: `${width}px`, height: `${TALL}px` });
    area.style.height = `${TALL}px`;
    const context = cells.getContext("2d");
    context.setTransform(dense, 0, 0, dense, 0, 0);
    context.clearRect(0, 0, width, TALL);
    context.strokeStyle = app.style("--st-border-color");
    frame = scales();
    if (view === "errors") region(context, frame);
    axes(context, frame);
    const inside = HOLDS[app.state.chosen.kind](model, app.state.chosen);
    for (const arm of drawnArms()) {
      context.fillStyle = app.style(`--${arm}`);
      for (let i = 0; i < model.N; i++) {
        const faint = view === "errors" && !model.followed[i];
        context.globalAlpha = (inside(i) ? 0.75 : 0.16) * (faint ? 0.6 : 1);
        dot(context, arm, ...place(arm, i), faint ? 1.8 : 2.6);
      }
    }
    context.globalAlpha = 1;
    for (const row of new Set([app.state.row, cursor])) if (row >= 0) ring(context, row);
    keys.hidden = view === "errors"; // its axes say whose errors they are
    say(note, words[VIEWS[view].note], { m: app.state.temperature, followed: percent(app.numbers.followed), better: percent(app.numbers.better) });
    if (cursor < 0) write(pointer, words.plane_point);
  }

  function ring(context, row) {
    context.strokeStyle = app.style("--st-text-color");
    context.lineWidth = 2;
    for (const arm of drawnArms()) {
      context.beginPath();
      context.arc(...place(arm, row), 7, 0, 2 * Math.PI);
      context.stroke();
    }
    context.lineWidth = 1;
  }

  function place(arm, i) {
    const [x, y] = at[view](arm, i);
    return [frame.across(x), frame.up(y)];
  }

  function describe(row) {
    return filled(words.plane_row, { row: model.ids[row], truth: amount(model, truth[row]), teacher: amount(model, arms.teacher.value[row]), student: amount(model, arms.student.value[row]), baseline: amount(model, arms.baseline.value[row]) });
  }

  function point(row, aloud) {
    cursor = row;
    const text = row >= 0 ? describe(row) : words.plane_point;
    paint();
    write(pointer, text);
    if (aloud) app.speak(text);
  }

  function nearest([x, y]) {
    let [best, least] = [-1, 15 ** 2];
    for (const arm of drawnArms())
      for (let i = 0; i < model.N; i++) {
        const [a, b] = place(arm, i);
        const away = (a - x) ** 2 + (b - y) ** 2;
        if (away < least) [best, least] = [i, away];
      }
    return best;
  }

  const under = (event) => {
    const box_ = area.getBoundingClientRect();
    return [event.clientX - box_.left, event.clientY - box_.top];
  };
  area.addEventListener("pointerdown", (event) => { from = under(event); area.setPointerCapture(event.pointerId); });
  area.addEventListener("pointermove", (event) => {
    const to = under(event);
    if (!from) return point(nearest(to), false);
    if (Math.hypot(to[0] - from[0], to[1] - from[1]) < 6) return undefined;
    box.hidden = false;
    const [left, top] = [0, 1].map((k) => Math.min(from[k], to[k]));
    return Object.assign(box.style, { left: `${left}px`, top: `${top}px`, width: `${Math.abs(to[0] - from[0])}px`, height: `${Math.abs(to[1] - from[1])}px` });
  });
  area.addEventListener("pointerup", (event) => {
    const to = under(event);
    const [start, wide] = [from, from && Math.hypot(to[0] - from[0], to[1] - from[1]) >= 6];
    from = null;
    if (wide) brush(start, to);
    else if (nearest(to) >= 0) app.show(nearest(to));
  });
  area.addEventListener("pointerleave", () => { if (!from) point(-1, false); });

  function brush(start, to) {
    const [low, high] = [[0, 1].map((k) => Math.min(start[k], to[k])), [0, 1].map((k) => Math.max(start[k], to[k]))];
    const rows = new Set();
    for (const arm of drawnArms())
      for (let i = 0; i < model.N; i++) {
        const spot = place(arm, i);
        if ([0, 1].every((k) => spot[k] >= low[k] && spot[k] <= high[k])) rows.add(i);
      }
    app.choose({ kind: "brushed", rows });
  }

  // By key: left and right walk over the rows in the order of the axis across.
  area.addEventListener("keydown", (event) => {
    const across = Array.from({ length: model.N }, (_, i) => i).sort((i, j) => at[view]("student", i)[0] - at[view]("student", j)[0] || i - j);
    const now = across.indexOf(cursor >= 0 ? cursor : app.state.row);
    const places = { ArrowLeft: now - 1, ArrowRight: now + 1, ArrowUp: now + 1, ArrowDown: now - 1, PageUp: now + 20, PageDown: now - 20, Home: 0, End: model.N - 1 };
    if (event.key in places) point(across[Math.max(0, Math.min(model.N - 1, places[event.key]))], true);
    else if ((event.key === "Enter" || event.key === " ") && cursor >= 0) app.show(cursor);
    else return;
    event.preventDefault();
  });

  return {
    element,
    update() {
      if (app.state.chosen.kind !== "brushed") box.hidden = true;
      paint();
    },
    lay: paint,
  };
}

const VIEWS = {
  errors: { title: "view_errors", note: "note_errors", axes: ["axis_teacher_off", "axis_student_off"] },
  answers: { title: "view_answers", note: "note_answers", axes: ["axis_truth", "axis_answer"] },
  residuals: { title: "view_residuals", note: "note_residuals", axes: ["axis_answer", "axis_off"] },
};
