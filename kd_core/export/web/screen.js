// What a person sees: a form made of the columns, the answer as bars, rows to try, and how long it takes here.

const MOST_BARS = 10;
const REPEATS = 30;
const DOZEN = 12;
const YES = 0.5; // of a label, from which a row has it
const MOST_MS = 400; // that measuring the time may take
const at = (id) => document.getElementById(id);

function made(name, settings = {}, ...inside) {
  const found = Object.assign(document.createElement(name), settings);
  found.append(...inside);
  return found;
}

class Screen {
  constructor(student) {
    Object.assign(this, { student, plan: student.plan, fields: {}, chosen: null, turn: 0 });
    at("title").textContent = this.plan.questions.map(([name]) => name).join(", ");
    at("lead").textContent = `A small model, “${this.plan.card.name}”, answers inside this page: it needs no network, and nothing you enter leaves your device.`;
    for (const [name, rule] of Object.entries(this.plan.columns)) this.field(name, rule);
    at("form").append(made("div", { className: "wide" }, made("button", { className: "main", textContent: "Answer" })));
    at("form").addEventListener("input", () => this.changed());
    at("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.choose(null);
      this.ask();
    });
    this.plan.sample.forEach((row, number) => this.example(row, number));
    this.card();
    at("licence").addEventListener("toggle", async () => (at("notices").textContent ||= await textOf("licences")));
    for (const id of ["ask", "told", "examples"]) at(id).hidden = false;
    at("state").hidden = true;
    at("sample").querySelector("button")?.click();
  }

  field(name, rule) {
    const id = `field-${Object.keys(this.fields).length}`;
    const label = made("label", { htmlFor: id, textContent: `${name} ` });
    const whole = made("div", {}, label);
    let input;
    if (rule.kind === "picture") {
      input = made("input", { id, type: "file", accept: "image/png,image/jpeg,image/webp,image/bmp" });
      input.addEventListener("change", async () => {
        const [file] = input.files;
        this.picture(name, file ? new Uint8Array(await file.arrayBuffer()) : null);
        if (file) this.ask();
      });
      whole.className = "wide";
    } else if (rule.kind === "text") {
      input = made("textarea", { id });
      whole.className = "wide";
    } else {
      input = made("input", { id, type: "text" });
      const hint = this.hint(name, rule);
      if (hint) label.append(made("span", { className: "hint", textContent: hint }));
      if (isNumber(rule) && !(this.plan.known[name] || []).length) input.inputMode = "decimal";
      if ((this.plan.known[name] || []).length) {
        input.setAttribute("list", `${id}-known`);
        whole.append(made("datalist", { id: `${id}-known` }, ...this.plan.known[name].map((value) => made("option", { value }))));
      }
    }
    whole.append(input);
    this.fields[name] = { input, whole, bytes: null };
    at("form").append(whole);
  }

  hint(name, rule) {
    if (rule.kind === "datetime") return rule.date_format === UNIX ? "seconds since 1970" : this.written(rule);
    if ((this.plan.known[name] || []).length) return `${this.plan.known[name].length} known`;
    return isNumber(rule) && (rule.number || {}).decimal === "," ? "decimal comma" : "";
  }

  written(rule) { // a time as this column writes it
    const form = !rule.date_format || rule.date_format === ISO ? "%Y-%m-%d" : rule.date_format;
    const parts = { Y: "2026", y: "26", m: "03", d: "31", b: "Mar", B: "March", H: "18", I: "06", M: "30", S: "00", f: "000000", p: "PM" };
    return `like ${form.replace(/%(\w)/g, (_, letter) => parts[letter])}`;
  }

  picture(name, bytes) {
    const field = this.fields[name];
    field.bytes = bytes;
    field.whole.querySelector("img")?.remove();
    if (bytes) field.whole.append(made("img", { src: URL.createObjectURL(new Blob([bytes])), alt: `The chosen picture for ${name}` }));
  }

  row() {
    const cells = Object.entries(this.fields).map(([name, { input, bytes }]) => [name, input.type === "file" ? bytes : input.value]);
    return Object.fromEntries(cells);
  }

  example(row, number) {
    const button = made("button", { type: "button" });
    button.setAttribute("aria-pressed", "false");
    const told = [];
    for (const [name, cell] of Object.entries(row)) {
      if (cell && cell.base64) button.append(made("img", { src: URL.createObjectURL(new Blob([bytesOf(cell.base64)])), alt: "" }));
      else if (cell !== null && cell !== "") told.push(this.plan.columns[name]?.kind === "text" ? cell : `${name} ${cell}`);
    }
    const words = told.join(", ");
    button.append(`${number + 1}. ${words.length > 140 ? `${words.slice(0, 139)}…` : words}`);
    if (!words) button.setAttribute("aria-label", `Row ${number + 1}, a picture`);
    button.addEventListener("click", () => {
      for (const [name, field] of Object.entries(this.fields)) {
        const cell = row[name] ?? "";
        if (field.input.type === "file") {
          field.input.value = "";
          this.picture(name, cell ? bytesOf(cell.base64) : null);
        } else field.input.value = cell;
      }
      this.choose(number);
      this.ask();
    });
    at("sample").append(made("li", {}, button));
  }

  changed() { // what stands beside the form is no answer to it any more
    this.choose(null);
    this.turn++;
    at("beside").textContent = at("time").textContent = "";
    at("answer").replaceChildren(made("p", { className: "hint", textContent: "The row has changed: press Answer." }));
  }

  choose(number) {
    this.chosen = number;
    at("sample").querySelectorAll("button").forEach((one, place) => one.setAttribute("aria-pressed", String(place === number)));
  }

  async ask() {
    const row = this.row();
    const turn = ++this.turn; // what is asked meanwhile is shown instead
    at("beside").textContent = at("time").textContent = "";
    try {
      const [answer] = await this.student.answer([row]);
      if (turn !== this.turn) return;
      at("answer").replaceChildren(...this.shown(answer));
      this.beside(row, answer);
      await this.timed(row, turn);
    } catch (error) {
      at("answer").replaceChildren(made("p", { className: "bad", textContent: `This row can't be answered: ${error.message}. Check what you entered; a picture must be PNG, JPEG, WebP or BMP.` }));
    }
  }

  shown(answer) {
    return this.plan.questions.flatMap(([name, kind, start, end, names, threshold]) => {
      const own = answer.slice(start, end);
      if (kind === "number") return [made("span", { textContent: name }), made("strong", { className: "big", textContent: short(own[0]) })];
      const shares = this.shares(own, names);
      if (kind === "classes") {
        const best = threshold === undefined ? own.indexOf(Math.max(...own)) : Number(own[1] >= threshold);
        if (threshold !== undefined) shares.push(made("p", { className: "hint", textContent: `${names[1]} from ${percent(threshold)} on` }));
        return [made("span", { textContent: name }), made("strong", { className: "big", textContent: names[best] }), ...shares];
      }
      const held = names.filter((_, place) => own[place] >= YES).join(", ");
      return [made("span", { textContent: name }), made("strong", { className: "big", textContent: held || "none of the labels" }), ...shares];
    });
  }

  shares(own, names) {
    const order = own.map((p, place) => [p, place]).sort((a, b) => b[0] - a[0] || a[1] - b[1]);
    const bars = order.slice(0, MOST_BARS).map(([p, place]) => {
      const bar = made("i");
      bar.style.width = `${100 * p}%`;
      const track = made("span", { className: "track" }, bar);
      track.setAttribute("aria-hidden", "true");
      return made("li", {}, made("span", { textContent: names[place] }), made("span", { className: "number", textContent: percent(p) }), track);
    });
    const rest = order.length - bars.length;
    const more = rest > 0 ? [made("p", { className: "hint", textContent: `and ${rest} more, none above ${percent(order[MOST_BARS][0])}` })] : [];
    return [made("ul", { className: "bars" }, ...bars), ...more];
  }

  beside(row, answer) {
    const said = [];
    for (const [name, rule] of Object.entries(this.plan.columns)) {
      const cell = row[name];
      if (rule.kind === "picture") {
        if (!cell) said.push(`${name}: no picture, read as black.`);
      } else if (isNumber(rule) || rule.kind === "datetime") {
        const lost = Number.isNaN(this.student.readers[name](cell)) && !this.plan.reading.missing.includes(trimmed(cell));
        if (lost) said.push(`${name}: “${cell}” can't be read as ${rule.kind === "datetime" ? "a time" : "a number"} and counts as missing.`);
      } else if ((this.plan.known[name] || []).length) {
        const label = this.student.readers[name](cell);
        if (label && !this.plan.known[name].includes(label)) said.push(`${name}: “${label}” was never met before.`);
      }
    }
    if (this.chosen !== null) {
      const wanted = this.plan.answers[this.chosen];
      const apart = Math.max(...wanted.map((value, place) => Math.abs(value - answer[place])));
      said.push(`The workbench gave the same answer: ${apart < 1e-12 ? "no difference" : `${apart.toExponential(0)} apart`}.`);
      if (apart > 1e-4 * Math.max(1, ...wanted.map(Math.abs))) said[said.length - 1] = `The workbench answered otherwise: ${apart.toExponential(1)} apart.`;
    }
    at("beside").textContent = said.join(" ");
  }

  async timed(row, turn) { // from what stands in the form to the answer; browsers tell the time in tenths of a millisecond, so rows are timed by the dozen
    const took = [];
    const end = performance.now() + MOST_MS;
    while (took.length < REPEATS && (took.length < 5 || performance.now() < end)) {
      const before = performance.now();
      for (let turn = 0; turn < DOZEN; turn++) await this.student.answer([row]);
      took.push((performance.now() - before) / DOZEN);
    }
    took.sort((a, b) => a - b);
    if (turn === this.turn) at("time").textContent = `${took[took.length >> 1].toPrecision(2)} ms a row on this device (median of ${took.length} times ${DOZEN} rows, one at a time, from the form to the answer).`;
  }

  card() {
    const { card } = this.plan;
    const metric = card.metric || {};
    const value = (card.metrics || {})[metric.name];
    const lines = [
      `Made by ${card.made_by}${card.created_utc ? `, trained ${card.created_utc.slice(0, 10)}` : ""}.`,
      typeof value === "number" ? `${metric.title || metric.name} on test rows: ${short(value)}.` : "",
      card.licence ? `Licence: ${card.licence}.` : "",
      ...(card.limits || []),
    ];
    at("card").append(made("ul", {}, ...lines.filter(Boolean).map((line) => made("li", { textContent: line }))));
  }
}

const percent = (p) => `${(100 * p).toFixed(1)} %`;
const short = (x) => String(Number(x.toPrecision(6)));

const opened = Student.open();
window.kd = { student: opened, opened: opened.then(() => true), answer: async (rows) => (await opened).answer(rows) };
opened.then(
  (student) => new Screen(student),
  (error) => {
    at("state").className = "bad";
    at("state").textContent = `The model can't be opened here: ${error.message}. A browser of the last two years is needed.`;
  },
);
