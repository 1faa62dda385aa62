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
  let [at, counts] = [-1, null];

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
      kept.setAttribute("visibility", chosen.kind === what ? "visible" : "hidden");
      if (chosen.kind === what) kept.setAttribute("x", (chosen.bin * WIDE) / BINS);
    },
  };
}

const keysOf = (app, arms = NAMED) => el("div", { class: "keys" }, ...arms.map((arm) => el("span", { class: `key ${arm}` }, app.names[arm])));

function beliefCard(app) {
  const { words } = app;
  const ends = (title) => ["0 %", title, "100 %"].map((text) => el("span", {}, text));
  const size = 120;
  const marks = Object.fromEntries(ARMS.map((arm) => [arm, { line: drawn("path", { class: arm }), dots: drawn("g", { class: `dots ${arm}` }) }]));
  const chart = drawn(
    "svg", { viewBox: `-4 -4 ${size + 8} ${size + 8}`, class: "square", "aria-hidden": "true" }, drawn("path", { class: "frame", d: `M0,0V${size}H${size}` }),
    drawn("path", { class: "even", d: `M0,${size}L${size},0` }), ...ARMS.flatMap((arm) => [marks[arm].line, marks[arm].dots]),
  );
  const told = el("p", { class: "finding" });
  return {
    element: el(
      "section", { class: "card belief", "aria-label": words.calibration }, el("div", { class: "head" }, el("h2", {}, words.calibration), keysOf(app)),
      told, el("div", { class: "axes" }, el("span", { class: "up" }, ...ends(words.right_share)), chart, el("span", { class: "across" }, ...ends(words.said_share))),
    ),
    update(numbers) {
      for (const arm of ARMS) {
        const at = numbers.arms[arm].calibration.map((b) => [size * b.confidence, size * (1 - b.accuracy), Math.sqrt(b.count / (app.model.judged ?? app.model.N))]);
        marks[arm].line.setAttribute("d", at.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(2)},${y.toFixed(2)}`).join(""));
        const { dots } = marks[arm];
        while (dots.childNodes.length > at.length) dots.lastChild.remove();
        while (dots.childNodes.length < at.length) dots.append(drawn("circle"));
        at.forEach(([x, y, r], i) => {
          dots.childNodes[i].setAttribute("cx", x);
          dots.childNodes[i].setAttribute("cy", y);
          dots.childNodes[i].setAttribute("r", 1 + 5 * r);
        });
      }
      const gap = (arm) => percent(numbers.arms[arm].calibrationError);
      say(told, words.calibration_note, { teacher: gap("teacher"), baseline: gap("baseline"), student: gap("student"), t: numbers.temperature });
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
