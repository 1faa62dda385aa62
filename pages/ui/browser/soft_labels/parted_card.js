// Groups of rows as lines that can be chosen: a name, a share as a bar, its rows, and numbers that follow the slider.
function partedCard(app, { title, note, heads, lines: given, values }) {
  const told = el("p", { class: "finding" });
  const lines = given.map((one) => {
    const bar = el("i", { class: "far" });
    if (one.share !== undefined) bar.style.width = `${100 * one.share}%`;
    const numbers = heads.slice(2).map(() => el("span", { class: "num" }));
    const button = el(
      "button", { type: "button", onclick: () => app.choose(one.chosen) }, el("span", { class: "name" }, short(one.name, 30)),
      el("span", { class: "distance" }, bar), el("span", { class: "num" }, one.of), ...numbers,
    );
    return { ...one, bar, numbers, button };
  });
  const titles = el("div", { class: "titles", "aria-hidden": "true" }, el("span", {}, heads[0]), el("span"), ...heads.slice(1).map((head) => el("span", {}, head)));
  const element = el("section", { class: "card classes", style: `--numbers:${heads.length - 1}`, "aria-label": title }, el("div", { class: "head" }, el("h2", {}, title)), told, titles, el("div", { class: "scroll" }, ...lines.map((one) => one.button)));
  return {
    element,
    update(numbers) {
      note(told, numbers);
      const { chosen } = app.state;
      for (const one of lines) {
        values(one, numbers).forEach((text, at) => write(one.numbers[at], text));
        if (one.shareNow) one.bar.style.width = `${100 * one.shareNow(numbers)}%`;
        one.button.setAttribute("aria-pressed", String(Object.entries(one.chosen).every(([k, v]) => k === "written" || chosen[k] === v)));
      }
    },
  };
}
