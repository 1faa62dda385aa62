// T, always in sight (for numbers the margin of a bound): a native slider (arrows, page keys, Home and End), and the two values that have a name.
function temperatureBar(app) {
  const { data, words } = app;
  const steps = data.temperatures;
  const away = (one, other) => Math.abs(one - other) / (one + other + 1e-9); // grows as the ratio does, and knows 0
  const nearest = (value) => steps.reduce((best, t, at) => (away(t, value) < away(steps[best], value) ? at : best), 0);
  const slider = el("input", {
    type: "range", min: 0, max: steps.length - 1, step: 1, "aria-label": words.temperature, title: words.temperature_help,
    oninput: () => app.warm(steps[slider.valueAsNumber]),
  });
  const shown = el("output", { class: "now" });
  const named = [[data.plain, words.at_one]];
  if (data.trained !== null && data.trained !== data.plain) named.push([data.trained, filled(words.at_trained, { t: data.trained })]);
  const buttons = named.map(([t, label]) => el("button", { type: "button", onclick: () => app.warm(steps[nearest(t)]) }, label));
  const chip = el("div", { class: "chip" });
  const larger = el("button", { type: "button", class: "larger", title: words.larger_help, "aria-pressed": "false", onclick: () => larger.setAttribute("aria-pressed", String(app.enlarge())) }, words.larger);
  return {
    element: el("div", { class: "bar" }, el("div", { class: "heat" }, el("span", { class: "name", "aria-hidden": "true" }, data.sign), slider, shown, el("div", { class: "named" }, ...buttons, larger)), chip),
    nearest: (value) => steps[nearest(value)],
    // On a phone the page's head is no longer see-through.
    below(head) {
      const hides = head && !/, 0\)$|transparent/.test(getComputedStyle(head).backgroundColor);
      const [bar, top] = [chip.parentElement, hides ? head.offsetHeight : 0];
      bar.style.top = `${top}px`;
      bar.parentElement.style.setProperty("--covered", `${top + bar.offsetHeight}px`);
    },
    update(temperature) {
      slider.value = steps.indexOf(temperature);
      slider.setAttribute("aria-valuetext", filled(words.t_is, { t: temperature }));
      slider.style.setProperty("--at", `${(100 * slider.valueAsNumber) / (steps.length - 1)}%`);
      write(shown, filled(words.t_is, { t: temperature }));
      buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(named[at][0] === temperature)));
    },
    chosen(words_, rows, all) {
      chip.replaceChildren(
        el("span", { title: words_ }, words_),
        el("button", { type: "button", onclick: () => app.see("rows") }, words.see_rows),
        ...(all ? [] : [el("button", { type: "button", onclick: () => app.choose({ kind: "all" }) }, words.clear)]),
      );
    },
  };
}

// What T did is told beside T = 1, but for T = 1 itself.
const leadAt = ({ data, words }, temperature) => (temperature === data.plain ? words.lead_plain : words.lead);

// Keeps T and the row in the address, without a word to the server.
function keeper() {
  let later;
  return (values) => {
    clearTimeout(later);
    later = setTimeout(() => {
      const address = new URL(window.location.href);
      for (const [name, value] of Object.entries(values)) address.searchParams.set(name, String(value));
      window.history.replaceState(window.history.state, "", address);
    }, 250);
  };
}
