// One chart of a page that is drawn again every few seconds. It stands until the next one is ready and is then replaced in one go.
const NEAR = 30; // pixels around the pointer

const format = (value, how) => {
  const digits = Number(/\.(\d+)/.exec(how)?.[1] ?? 4);
  return how.includes("~") ? String(Number(value.toPrecision(digits))) : value.toFixed(digits);
};
const told = (line, curve, at) =>
  line.replace(/%\{(\w+)(?::([^}]+))?\}/g, (_, name, how) => (name === "customdata" ? curve.of[at] : how ? format(curve[name][at], how) : curve[name][at]));

function started(parentElement) {
  const place = parentElement.querySelector(".place");
  const stage = el("div", { class: "stage" });
  const tip = el("div", { class: "tip", hidden: true });
  const saves = el("div", { class: "row" });
  place.replaceChildren(stage, tip, saves);
  let pointer = null; // what it tells stays while the chart is drawn anew
  let [data, made, width, all] = [null, null, 0, false]; // all: whatever lies outside of the range that tells most, too

  const untold = () => {
    tip.hidden = true;
    made?.svg.querySelector(".here")?.remove();
  };
  function draw() {
    if (!data || !width) return;
    const [x, y] = ["x", "y"].map((side) => (all ? { ...data[side], ends: null } : data[side]));
    made = picture({ ...data, x, y }, width, getComputedStyle(place).fontFamily);
    stage.replaceChildren(made.svg);
    tell();
  }
  function tell() {
    if (!made || !pointer) return untold();
    const { x: from, y: above } = made.svg.getBoundingClientRect();
    const [x, y] = [pointer.clientX - from, pointer.clientY - above];
    let [best, distance] = [null, NEAR];
    made.points.forEach((points, curve) => {
      if (!data.curves[curve].told.length) return;
      points.forEach((point, at) => {
        const away = point ? Math.hypot(point[0] - x, point[1] - y) : Infinity;
        if (away <= distance) [best, distance] = [[curve, at, point], away];
      });
    });
    untold();
    if (!best) return;
    const [curve, at, point] = best;
    made.svg.append(drawn("circle", { class: "here", cx: point[0], cy: point[1], r: 7, fill: "none", stroke: data.ink, "stroke-width": 1.5 }));
    tip.replaceChildren(...data.curves[curve].told.map((line) => el("div", {}, told(line, data.curves[curve], at))));
    tip.hidden = false;
    tip.style.left = `${Math.min(point[0] + 12, width - tip.offsetWidth)}px`;
    tip.style.top = `${Math.max(0, point[1] - tip.offsetHeight - 10)}px`;
  }
  for (const kind of ["pointermove", "pointerdown", "pointerleave"])
    stage.addEventListener(kind, (event) => {
      pointer = kind === "pointerleave" ? null : event;
      tell();
    });
  stage.addEventListener("dblclick", () => {
    all = !all;
    draw();
  });
  const sizes = new ResizeObserver(([entry]) => {
    const now = Math.floor(entry.contentRect.width);
    if (now === width) return;
    width = now;
    draw();
  });
  sizes.observe(stage);
  const save = (kind) => {
    const copy = made.svg.cloneNode(true);
    copy.querySelector(".here")?.remove();
    copy.prepend(drawn("rect", { width: "100%", height: "100%", fill: data.paper }));
    savePicture(copy, kind, data.name);
  };
  return {
    show(next) {
      data = next;
      stage.style.minHeight = `${data.height}px`;
      saves.replaceChildren(
        ...Object.entries(data.labels).map(([kind, name]) => el("button", { type: "button", "aria-label": name, title: name, onclick: () => save(kind) }, kind.toUpperCase())),
      );
      draw();
    },
    leave: () => sizes.disconnect(),
  };
}

const standing = new WeakMap();

export default function ({ data, parentElement }) {
  if (!standing.has(parentElement)) standing.set(parentElement, started(parentElement));
  standing.get(parentElement).show(data);
  return () => {
    standing.get(parentElement)?.leave();
    standing.delete(parentElement);
  };
}
