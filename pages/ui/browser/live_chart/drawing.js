// Curves as one SVG: axes, levels, lines with their marks, and a legend above. Only what is said in `data` is drawn, nothing is worked out.
const [TICK, TITLE] = [12, 13]; // pixels of letters, as in every chart
const SWATCH = 28;
const pen = document.createElement("canvas").getContext("2d");

// As Plotly draws dashes of these names.
function dashes(dash, width) {
  const unit = Math.max(width, 3);
  const named = { solid: [], dot: [1, 1], dash: [3, 3], longdash: [5, 5], dashdot: [3, 1, 1, 1], longdashdot: [5, 2, 1, 2] };
  return dash in named ? named[dash].map((times) => times * unit).join(" ") || null : dash.replaceAll("px", "").replaceAll(",", " ");
}

const around = (corners, first = -90, radii = [1]) =>
  Array.from({ length: corners }, (_, i) => {
    const angle = ((first + (360 * i) / corners) * Math.PI) / 180;
    return [radii[i % radii.length] * Math.cos(angle), radii[i % radii.length] * Math.sin(angle)];
  });
const CROSS = [[0, 0.4], [0.6, 1], [1, 0.6], [0.4, 0], [1, -0.6], [0.6, -1], [0, -0.4], [-0.6, -1], [-1, -0.6], [-0.4, 0], [-1, 0.6], [-0.6, 1]];
const SHAPES = {
  square: around(4, 45, [Math.SQRT2 * 0.9]),
  diamond: around(4, -90, [1.3]),
  "triangle-up": around(3, -90, [1.3]),
  pentagon: around(5, -90, [1.2]),
  star: around(10, -90, [1.4, 0.6]),
  x: CROSS,
};

function mark(curve, x, y) {
  const radius = curve.size / 2;
  const look = { fill: curve.colour, ...(curve.edge ? { stroke: curve.halo, "stroke-width": curve.edge } : {}) };
  const corners = SHAPES[curve.symbol];
  if (!corners) return drawn("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: radius, ...look });
  return drawn("path", { d: `M${corners.map(([dx, dy]) => `${(x + radius * dx).toFixed(1)},${(y + radius * dy).toFixed(1)}`).join("L")}Z`, ...look });
}

function lineOf(curve, points) {
  let d = "", begun = false;
  for (const point of points) {
    if (point) d += `${begun ? "L" : "M"}${point[0].toFixed(1)},${point[1].toFixed(1)}`;
    begun = Boolean(point);
  }
  return drawn("path", { d, fill: "none", stroke: curve.colour, "stroke-width": curve.width, "stroke-dasharray": dashes(curve.dash, curve.width), "stroke-linejoin": "round" });
}

function wide(text, size, family) {
  pen.font = `${size}px ${family}`;
  return pen.measureText(text).width;
}

// Names in rows as wide as the chart; each with its line and its mark. Returns their height.
function legend(svg, data, width, family) {
  let [x, row] = [0, 0];
  for (const curve of data.curves.filter((one) => one.legend).sort((a, b) => a.rank - b.rank)) {
    const needed = SWATCH + 6 + wide(curve.name, TITLE, family) + 18;
    if (x && x + needed > width) [x, row] = [0, row + 1];
    const y = 12 + 20 * row;
    if (curve.lines) svg.append(lineOf(curve, [[x, y], [x + SWATCH, y]]));
    if (curve.marks) svg.append(mark(curve, x + SWATCH / 2, y));
    svg.append(drawn("text", { x: x + SWATCH + 6, y: y + 4.5, "font-size": TITLE, fill: data.ink }, curve.name));
    x += needed;
  }
  return data.curves.some((one) => one.legend) ? 20 * (row + 1) + 14 : 12;
}

// Returns the picture and its points in pixels, curve by curve, for what is told under the pointer.
function picture(data, width, family) {
  const svg = drawn("svg", { width, height: data.height, viewBox: `0 0 ${width} ${data.height}`, role: "img", "aria-label": data.alt, "font-family": family });
  const top = legend(svg, data, width, family);
  const bottom = data.height - 48;
  const known = (of) => data.curves.flatMap((curve) => curve[of].filter((value, i) => value !== null && (of === "x" || !data.y.log || value > 0)));
  const y = axisOf({ ...data.y, ends: data.y.ends ?? span(known("y"), data.y.log), most: Math.max(2, (bottom - top) / 46) });
  const left = 26 + Math.max(...y.ticks.map(([, text]) => wide(text, TICK, family)), 8);
  const right = width - 12;
  const x = axisOf({ ...data.x, log: false, ends: data.x.ends ?? span(known("x"), false), most: Math.max(2, (right - left) / 70) });
  const [px, py] = [(value) => left + x.at(value) * (right - left), (value) => bottom - y.at(value) * (bottom - top)];
  const text = (value, given) => drawn("text", { "font-size": TICK, fill: data.ink, ...given }, value);
  const grid = drawn("g", { stroke: data.grid });
  svg.append(grid);
  for (const [value, label] of y.ticks) {
    grid.append(drawn("path", { d: `M${left},${py(value).toFixed(1)}H${right}` }));
    svg.append(text(label, { class: "y", x: left - 6, y: py(value) + 4, "text-anchor": "end", "data-value": value }));
  }
  for (const [value, label] of x.ticks) {
    grid.append(drawn("path", { d: `M${px(value).toFixed(1)},${top}V${bottom}` }));
    svg.append(text(label, { class: "x", x: px(value), y: bottom + 18, "text-anchor": "middle", "data-value": value }));
  }
  svg.append(
    text(data.x.title, { "font-size": TITLE, x: (left + right) / 2, y: bottom + 40, "text-anchor": "middle" }),
    text(data.y.title, { "font-size": TITLE, transform: `translate(12 ${(top + bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }),
  );
  const id = `within-${data.name}`;
  svg.append(drawn("clipPath", { id }, drawn("rect", { x: left, y: top - 8, width: right - left + 8, height: bottom - top + 12 })));
  const plot = drawn("g", { "clip-path": `url(#${id})` });
  for (const level of data.levels) {
    plot.append(lineOf(level, [[left, py(level.at)], [right, py(level.at)]]));
    svg.append(text(level.name, { x: right, y: py(level.at) - 4, "text-anchor": "end" }));
  }
  const points = data.curves.map((curve) => curve.x.map((value, i) => (value === null || curve.y[i] === null || (data.y.log && curve.y[i] <= 0) ? null : [px(value), py(curve.y[i])])));
  data.curves.forEach((curve, i) => {
    const one = drawn("g", { opacity: curve.opacity, "data-curve": curve.name });
    if (curve.lines) one.append(lineOf(curve, points[i]));
    if (curve.marks) one.append(...points[i].filter(Boolean).map((point) => mark(curve, ...point)));
    plot.append(one);
  });
  svg.append(plot);
  return { svg, points, frame: { left, right, top, bottom } };
}
