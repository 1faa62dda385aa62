// One query as every model orders it, side by side: the best order by the grades, teacher, student and baseline; lines join the same row.
const PLACES = 12;

function ordersCard(app) {
  const { model, words } = app;
  const { start, arms, grades } = model;
  const columns = [["label", words.stage_label], ["teacher", app.names.teacher], ["student", app.names.student], ["baseline", app.names.baseline]];
  const lines = drawn("svg", { class: "joins", "aria-hidden": "true" });
  const lists = columns.map(([name, title]) => ({ name, list: el("ol", { class: "order", "aria-label": title }), title }));
  const area = el("div", { class: "orders" }, lines, ...lists.map((one) => el("div", {}, el("h3", {}, el("span", { class: `key ${one.name}` }, one.title)), one.list)));
  const [note, pointer] = [el("p", { class: "finding" }), el("p", { class: "pointer" })];
  const element = el("section", { class: "card ordercard", "aria-label": words.orders }, el("div", { class: "head" }, el("h2", {}, words.orders)), note, area, pointer);
  let [lit, shown] = [-1, -1];

  const told = (i) => filled(words.document, { row: model.numbers[i], grade: String(grades[i]), teacher: arms.teacher.rank[i], student: arms.student.rank[i], baseline: arms.baseline.rank[i], what: model.documents[i] });

  function entry(i) {
    const mark = () => light(i);
    return el("li", {}, el("button", { type: "button", "data-at": i, title: told(i), onpointerenter: mark, onfocus: mark, onclick: mark }, el("span", { class: "grade" }, String(grades[i])), el("span", {}, filled(words.row_short, { row: model.numbers[i] }))));
  }

  function light(i) {
    lit = i;
    for (const button of area.querySelectorAll("button")) button.classList.toggle("lit", Number(button.dataset.at) === i);
    for (const line of lines.childNodes) line.classList.toggle("lit", Number(line.dataset.at) === i);
    write(pointer, i >= 0 ? told(i) : words.order_point);
  }

  function show(row) {
    shown = row;
    const all = Array.from({ length: start[row + 1] - start[row] }, (_, k) => start[row] + k);
    const best = all.slice().sort((a, b) => grades[b] - grades[a] || arms.teacher.z[b] - arms.teacher.z[a] || a - b);
    for (const { name, list } of lists) {
      const order = name === "label" ? best : all.slice().sort((a, b) => arms[name].z[b] - arms[name].z[a] || a - b);
      list.replaceChildren(...order.slice(0, PLACES).map(entry));
    }
    const score = (arm) => (Number.isFinite(arms[arm].ndcg[row]) ? arms[arm].ndcg[row].toFixed(3) : "–");
    say(note, words.order_note, { teacher: score("teacher"), student: score("student"), baseline: score("baseline"), alike: percent(model.alike.student[row]), alike_baseline: percent(model.alike.baseline[row]), num: Math.min(PLACES, all.length), of: all.length });
    light(-1);
    join();
  }

  function join() {
    lines.replaceChildren();
    const box = area.getBoundingClientRect();
    if (!box.width || shown < 0 || getComputedStyle(lines).display === "none") return;
    lines.setAttribute("viewBox", `0 0 ${box.width} ${box.height}`);
    const places = lists.map(({ list }) => new Map(Array.from(list.querySelectorAll("button"), (button) => [Number(button.dataset.at), button.getBoundingClientRect()])));
    places.slice(1).forEach((right, k) => {
      for (const [i, b] of right) {
        const a = places[k].get(i);
        if (!a) continue;
        const [x1, y1, x2, y2] = [a.right - box.left, (a.top + a.bottom) / 2 - box.top, b.left - box.left, (b.top + b.bottom) / 2 - box.top];
        lines.append(drawn("path", { d: `M${x1},${y1}C${(x1 + x2) / 2},${y1} ${(x1 + x2) / 2},${y2} ${x2},${y2}`, "data-at": i, class: y1 === y2 ? "level" : "moved" }));
      }
    });
    light(lit);
  }

  return { element, show, update() {}, lay: join };
}
