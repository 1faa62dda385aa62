// How answers are spread over all rows, and whether shares can be believed.
const [WIDE, HIGH] = [240, 100];

function outline(counts, most) {
  const step = WIDE / counts.length;
  const y = (v) => HIGH - (most > 0 ? (v / most) * (HIGH - 6) : 0);
  return counts.reduce((path, v, at) => `${path}L${at * step},${y(v)}L${(at + 1) * step},${y(v)}`, `M0,${HIGH}`) + `L${WIDE},${HIGH}Z`;
}

// One histogram: an outline for each model; a bin is chosen by a click, or by arrows and Enter.
function histogramOf(app, what, title, low, high, written) {
  const { words } = app;
  const paths = Object.fromEntries(ARMS.map((arm) => [arm, drawn("path", { class: arm })]));
  const lit = drawn("rect", { class: "lit", y: 0, height: HIGH, width: WIDE / BINS, visibility: "hidden" });
  const kept = drawn("rect", { class: "kept", y: 0, height: HIGH, width: WIDE / BINS, visibility: "hidden" });
  const chart = drawn("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", "aria-hidden": "true" }, kept, lit, paths.teacher, paths.baseline, paths.student);
  const note = el("p", { class: "pointer" });
  const [most, ends] = [el("span"), [el("span", {}, written(low)), el("span", {}, written(high))]];
  const plot = el("div", { class: "plot", tabindex: 0, role: "application", "aria-label": `${title}. ${words.bin_keys}` }, chart);
  let [at, counts, ringed] = [-1, null, null];

  const bounds = (bin) => ({ low: written(edge(bin, low, high)), high: written(edge(bin + 1, low, high)) });
  function move(to, aloud) {
    at = Math.max(0, Math.min(BINS - 1, to));
    lit.setAttribute("x", (at * WIDE) / BINS);
    lit.setAttribute("visibility", "visible");
    const text = filled(words.bin, { ...bounds(at), teacher: percent(counts.teacher[at]), baseline: percent(counts.baseline[at]), student: percent(counts.student[at]) });
    write(note, text);
    if (aloud) app.speak(text);
  }
  const choose = () => app.choose({ kind: what, bin: at, low, high, written: bounds(at) });
  const under = (event) => Math.floor(((event.clientX - plot.getBoundingClientRect().left) / plot.clientWidth) * BINS);
  plot.addEventListener("pointermove", (event) => move(under(event), false));
  plot.addEventListener("pointerleave", () => { lit.setAttribute("visibility", "hidden"); write(note, ""); });
  plot.addEventListener("click", (event) => { move(under(event), false); choose(); });
  plot.addEventListener("keydown", (event) => {
    const places = { ArrowLeft: at < 0 ? BINS - 1 : at - 1, ArrowRight: at + 1, Home: 0, End: BINS - 1 };
    if (event.key in places) move(places[event.key], true);
    else if ((event.key === "Enter" || event.key === " ") && at >= 0) choose();
    else return;
    event.preventDefault();
  });
  return {
    element: el("div", { class: "histogram" }, el("h3", {}, title), el("div", { class: "frame" }, el("span", { class: "most" }, most), plot), el("div", { class: "ends" }, ...ends), note),
    update(numbers) {
      counts = Object.fromEntries(ARMS.map((arm) => [arm, numbers.arms[arm][what]]));
      const highest = Math.max(...ARMS.map((arm) => counts[arm].reduce((a, b) => Math.max(a, b), 0)));
      for (const arm of ARMS) paths[arm].setAttribute("d", outline(counts[arm], highest));
      write(most, whole(highest));
      const { chosen } = app.state;
      if (chosen !== ringed && chosen.kind !== what) lit.setAttribute("visibility", "hidden");
      ringed = chosen;
      kept.setAttribute("visibility", chosen.kind === what ? "visible" : "hidden");
      if (chosen.kind === what) kept.setAttribute("x", (chosen.bin * WIDE) / BINS);
    },
  };
}

const keysOf = (app, arms = LEGEND) => el("div", { class: "keys" }, ...arms.map((arm) => el("span", { class: `key ${arm}` }, app.names[arm])));

// The mark of each model, as on every other chart: a square, a cross, a circle.
const OUTLINES = {
  teacher: (r) => `M${-r},${-r}H${r}V${r}H${-r}Z`,
  baseline: (r) => `M${-r},${-r}L${r},${r}M${-r},${r}L${r},${-r}`,
  student: (r) => `M${-r},0a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0Z`,
};
const BELIEF = [300, 190];
const FEW = 10; // rows of a mark below which it tells nothing

// The chart of the Calibration tab, at any temperature: the axes begin where the models' shares do.
function beliefCard(app) {
  const { words } = app;
  const [across, up] = BELIEF;
  const [least, lowest] = [el("span"), el("span")];
  const marks = Object.fromEntries(ARMS.map((arm) => [arm, { line: drawn("path", { class: arm }), dots: drawn("g", { class: `dots ${arm}` }) }]));
  const chart = drawn(
    "svg", { viewBox: `-8 -8 ${across + 16} ${up + 16}`, class: "belief", "aria-hidden": "true" }, drawn("path", { class: "frame", d: `M0,0V${up}H${across}` }),
    drawn("path", { class: "even", d: `M0,${up}L${across},0` }), ...ARMS.flatMap((arm) => [marks[arm].line, marks[arm].dots]),
  );
  const told = el("p", { class: "finding" });
  return {
    element: el(
      "section", { class: "card belief", "aria-label": words.calibration }, el("div", { class: "head" }, el("h2", {}, words.calibration), keysOf(app)),
      told,
      el(
        "div", { class: "axes" }, el("span", { class: "up" }, lowest, el("span", {}, words.right_share), el("span", {}, whole(1))), chart,
        el("span", { class: "across" }, least, el("span", {}, words.said_share), el("span", {}, whole(1))),
      ),
    ),
    update(numbers) {
      const every = ARMS.flatMap((arm) => numbers.arms[arm].calibration.flatMap((b) => [b.confidence, b.accuracy]));
      const all = app.model.judged ?? app.model.N;
      const low = Math.min(0.9, Math.floor(10 * Math.min(...every)) / 10);
      for (const place of [least, lowest]) write(place, whole(low));
      const share = (value) => (value - low) / (1 - low);
      for (const arm of ARMS) {
        const at = numbers.arms[arm].calibration.map((b) => [across * share(b.confidence), up * (1 - share(b.accuracy)), Math.sqrt(b.count / all), b.count < FEW]);
        // A line joins neighbours that have enough rows; what has few stands alone, faint.
        marks[arm].line.setAttribute("d", at.map(([x, y, , few], i) => (few ? "" : `${i && !at[i - 1][3] ? "L" : "M"}${x.toFixed(2)},${y.toFixed(2)}`)).join(""));
        const { dots } = marks[arm];
        while (dots.childNodes.length > at.length) dots.lastChild.remove();
        while (dots.childNodes.length < at.length) dots.append(drawn("path"));
        at.forEach(([x, y, r, few], i) => {
          dots.childNodes[i].classList.toggle("few", few);
          dots.childNodes[i].setAttribute("d", OUTLINES[arm](2 + 4 * r));
          dots.childNodes[i].setAttribute("transform", `translate(${x.toFixed(2)},${y.toFixed(2)})`);
        });
      }
      const counts = ARMS.flatMap((arm) => numbers.arms[arm].calibration.map((b) => b.count));
      if (counts.every((count) => count < FEW)) return say(told, words.calibration_none, { num: exact(app.model.N), least: FEW });
      const few = counts.some((count) => count < FEW) ? filled(words.calibration_few, { least: FEW }) : "";
      const gap = (arm) => percent(numbers.arms[arm].calibrationError);
      const advice = numbers.temperature === app.data.plain ? "" : ` ${words.calibration_advice}`;
      say(told, words.calibration_note.replace("{few}", few) + advice, { teacher: gap("teacher"), baseline: gap("baseline"), student: gap("student"), t: numbers.temperature });
    },
  };
}

// Histograms side by side; `given`: what of the numbers, title, both ends, how a value is written. `told` writes the sentence above.
function spreadCard(app, given, told) {
  const note = el("p", { class: "finding" });
  const parts = given.map((one) => histogramOf(app, ...one));
  return {
    element: el("section", { class: "card spread", "aria-label": app.words.spread }, el("div", { class: "head" }, el("h2", {}, app.words.spread), keysOf(app)), note, el("div", { class: "three" }, ...parts.map((p) => p.element))),
    update(numbers) {
      parts.forEach((part) => part.update(numbers));
      told(note, numbers);
    },
  };
}
