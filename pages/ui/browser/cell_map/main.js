// The map of a what-if: cells are walked by the arrow keys and chosen by a click, Enter or Space; the page never scrolls for it.
const standing = new WeakMap();
const AWAIT = 4000; // milliseconds in which the server may still speak of an earlier choice
let made = 0;

function started(data, parentElement, tell, kept) {
  const { words } = data;
  const byId = new Map(data.cells.map((cell) => [cell.id, cell]));
  const app = { id: `map${(made += 1)}`, data, words };
  const drawing = cellDrawing(app);
  const panel = data.panel ? cellPanel(app) : null;
  const pointer = el("p", { class: "pointer", "aria-hidden": "true" });
  const live = el("div", { class: "unseen", role: "status", "aria-live": "polite" });
  const saves = el("div", { class: "row" }, ...["SVG", "PNG"].map((kind) => {
    const name = filled(words.picture, { kind });
    return el("button", { type: "button", "aria-label": name, title: name, onclick: () => savedMap(drawing, kind.toLowerCase(), data.name) }, kind);
  }));
  const note = el("p", { class: "unseen", id: `${app.id}-note` }, data.choose ? words.keys : words.keys_live);
  const map = el("div", { class: "map" }, drawing.element, el("div", { class: "under" }, pointer, saves), el("p", { class: "legend" }, data.legend), note, live);
  const root = el("div", { class: panel ? "cells beside" : "cells" }, map, panel?.element);
  root.style.setProperty("--picked", data.colours.picked);
  let [chosen, entry, awaited, width] = [null, kept?.entry ?? null, 0, 0];

  app.style = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const touched = window.matchMedia("(hover: none)").matches;
  const hint = () => write(pointer, touched ? (data.choose ? words.hint_touch : words.hint_touch_live) : data.choose ? words.hint : words.hint_live);
  const told = (id) => write(pointer, byId.get(id).name);
  const idOf = (event) => {
    const group = event.target.closest?.("[data-cell]");
    return group ? Number(group.dataset.cell) : null;
  };

  // The cell that has the keyboard, if any: not always the entry, as the server may speak of another cell meanwhile.
  const held = () => [...drawing.groups()].find(([, group]) => group.matches(":focus"))?.[0] ?? null;

  function marked() {
    for (const [id, group] of drawing.groups()) {
      if (data.choose) group.setAttribute("aria-selected", String(id === chosen));
      group.classList.toggle("picked", data.choose && id === chosen);
      group.setAttribute("tabindex", id === entry ? 0 : -1);
    }
  }

  function show(id) {
    if (!byId.has(id)) return;
    chosen = id;
    entry = held() ?? id; // whoever walks goes on from where they are
    marked();
    panel?.show(byId.get(id));
  }

  function choose(id) {
    const began = performance.now();
    drawing.groups().get(id).focus({ preventScroll: true }); // the arrow keys go on from here
    show(id);
    const address = new URL(window.location.href);
    address.searchParams.set("cell", String(id));
    window.history.replaceState(window.history.state, "", address);
    write(live, filled(words.chosen, { cell: byId.get(id).name }));
    awaited = performance.now();
    performance.measure("cell-chosen", { start: began, end: performance.now() });
    requestAnimationFrame(() => tell(id)); // the page is drawn first
  }

  function walk(event) {
    const id = idOf(event);
    if (id === null || event.altKey || event.metaKey) return;
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    let next = null;
    if (step) next = drawing.beside(id, ...step);
    else if (event.key === "Home" || event.key === "End") next = drawing.end(id, event.key === "Home" ? -1 : 1);
    else if (event.key === "Enter" || event.key === " ") {
      if (data.choose && !event.repeat) choose(id);
    } else return;
    event.preventDefault();
    if (next === null) return;
    entry = next;
    marked();
    drawing.groups().get(next).focus();
  }

  function lay() {
    const room = Math.floor(map.clientWidth);
    if (!room || room === width) return;
    width = room;
    const at = held();
    drawing.lay(room);
    marked();
    if (at !== null) drawing.groups().get(at)?.focus({ preventScroll: true });
  }

  drawing.element.addEventListener("click", (event) => {
    const id = idOf(event);
    if (id === null) return;
    if (data.choose) {
      choose(id);
      return;
    }
    entry = id;
    marked();
    drawing.groups().get(id).focus({ preventScroll: true });
  });
  drawing.element.addEventListener("keydown", walk);
  drawing.element.addEventListener("focusin", (event) => idOf(event) !== null && told(idOf(event)));
  drawing.element.addEventListener("focusout", hint);
  drawing.element.addEventListener("pointerover", (event) => idOf(event) !== null && told(idOf(event)));
  drawing.element.addEventListener("pointerleave", hint);

  const first = data.chosen ?? data.cells.find((cell) => cell.best)?.id ?? data.cells[0].id;
  if (!byId.has(entry)) entry = first;
  parentElement.querySelector(".place").replaceChildren(root);
  drawing.coloured();
  hint();
  if (data.choose) show(byId.has(kept?.chosen) && kept.waiting ? kept.chosen : first);
  lay();
  if (kept?.focused && byId.has(kept.entry)) entry = kept.entry;
  marked();
  if (kept?.focused) drawing.groups().get(entry)?.focus({ preventScroll: true });
  const sizes = new ResizeObserver(lay);
  sizes.observe(map);
  return {
    key: data.key,
    // The server's word counts, but not where it speaks of what was chosen before the latest click.
    heard(id) {
      if (id === chosen) awaited = 0;
      else if (data.choose && id !== null && performance.now() - awaited > AWAIT) show(id);
    },
    retheme() {
      requestAnimationFrame(() => {
        drawing.coloured();
        width = 0;
        lay();
      });
    },
    state: () => ({ entry: held() ?? entry, chosen, waiting: performance.now() - awaited < AWAIT, focused: held() !== null }),
    leave: () => sizes.disconnect(),
  };
}

// The map as a picture of its own.
function savedMap(drawing, kind, name) {
  const picture = drawing.picture().cloneNode(true);
  picture.querySelectorAll(".ring").forEach((ring) => ring.remove());
  picture.prepend(drawn("rect", { width: picture.getAttribute("width"), height: picture.getAttribute("height"), fill: drawing.paper() }));
  savePicture(picture, kind, name);
}

// Called anew for every change of theme or data: what stands is kept as long as the cells are the same.
export default function ({ data, parentElement, setTriggerValue }) {
  const known = standing.get(parentElement);
  if (known?.key === data.key) {
    known.heard(data.chosen);
    known.retheme();
  } else {
    const kept = known?.state();
    known?.leave();
    standing.set(parentElement, started(data, parentElement, (id) => setTriggerValue("cell", id), kept));
  }
  return () => {
    standing.get(parentElement)?.leave();
    standing.delete(parentElement);
  };
}
