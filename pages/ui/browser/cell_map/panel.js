// What is known of the chosen cell, drawn from what came with the map: no word to the server is needed.
function cellPanel(app) {
  const { data, words } = app;
  const body = el("div", { class: "body" });
  let open = window.innerWidth > 640; // on a phone the seeds are one fold away
  const element = el("section", { class: "panel", "aria-label": words.panel }, body);

  function table(lines) {
    const head = el("tr", {}, ...data.table.map((name) => el("th", { scope: "col" }, ...breakable(name))));
    const rows = lines.map((cells, i) =>
      el("tr", { class: i === lines.length - 1 ? "mean" : null }, ...cells.map((text, j) => (j ? el("td", {}, text) : el("th", { scope: "row" }, text)))));
    return el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows));
  }

  return {
    element,
    show(cell) {
      const { panel } = cell;
      const title = el("h2", {}, ...breakable(panel.title));
      if (panel.missing !== undefined) {
        body.replaceChildren(title, el("p", { class: "wary" }, panel.missing));
        return;
      }
      const gain = el("p", {}, el("b", {}, panel.gain));
      const about = el("details", {}, el("summary", {}, words.about), el("p", {}, words.about_interval), el("p", {}, words.about_word), el("p", {}, words.about_latency));
      const seeds = el("details", open ? { open: "" } : {}, el("summary", {}, words.by_seed), table(panel.seeds));
      seeds.addEventListener("toggle", () => { open = seeds.open; });
      body.replaceChildren(
        title, gain, ...panel.lines.map((said_) => el("p", {}, said_)), seeds, el("p", { class: "quiet" }, panel.costs),
        ...panel.wary.map((said_) => el("p", { class: "wary" }, said_)), about,
      );
    },
  };
}
