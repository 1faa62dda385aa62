// The cells of one map as one picture: a number and a bar in each, on one scale; a frame around those like the best.
const NARROW = 44; // pixels of a cell below which a wide map is turned, so that its columns become rows
const NUMBERED = 31; // pixels of a cell below which its number is left out

function cellDrawing(app) {
  const { data } = app;
  const line = data.rows.length < 2 || data.columns.length < 2;
  const holder = el("div", { class: "holder" });
  let [layout, groups, shades] = [null, new Map(), null];

  const mixed = (hue, paper, share) => hue.map((v, i) => Math.round(v * share + paper[i] * (1 - share)));
  const css = (colour) => `rgb(${colour.join(",")})`;

  function coloured() {
    const paper = rgb(app.style("--st-background-color"));
    const ink = app.style("--st-text-color");
    const nothing = mixed([127, 127, 127], paper, data.nothing);
    const dark = paper[0] + paper[1] + paper[2] < 384;
    shades = {
      ink, paper: css(paper), nothing, quiet: app.style("--st-gray-text-color") || ink,
      strongest: data.strongest[dark ? 1 : 0],
      hues: { gain: rgb(data.colours.gain), loss: rgb(data.colours.loss) },
    };
  }

  // Orange gains, purple loses, equal gains alike; never so strong that the text would not be read. What may be nothing is told by the bar and the number.
  function fill(cell) {
    if (cell.gain === null) return css(shades.nothing);
    const share = Math.min(1, Math.abs(cell.gain) / data.scale);
    return css(mixed(cell.gain >= 0 ? shades.hues.gain : shades.hues.loss, shades.nothing, shades.strongest * share));
  }

  // Along one setting bars stand upright beside each other; a map that is too wide is turned.
  function laid(width) {
    const long = (names) => Math.max(...names.map((name) => name.length)) * 7.5 + 12;
    const turnedLine = line && data.columns.length < 2 && data.rows.length > 1;
    const wide = (width - long(data.rows) - 6) / data.columns.length;
    const turned = turnedLine || (!line && wide < NARROW && data.columns.length > data.rows.length);
    const [across, up] = turned ? [data.rows, data.columns] : [data.columns, data.rows];
    const titles = turned ? [...data.titles].reverse() : data.titles;
    const left = Math.max(26, line ? long(data.ends) : long(up));
    const cell = Math.max(15, Math.min(line ? 150 : 118, (width - left - 6) / across.length));
    const tall = line ? 210 : cell < NUMBERED ? 34 : up.length > 8 ? 40 : 52;
    const above = line ? 8 : 24;
    const spread = { width: left + across.length * cell + 6, height: above + up.length * tall + 44 };
    return { turned, across, up, titles, left, above, cell, tall, ...spread };
  }

  const at = (cell) => (layout.turned ? { x: cell.row, y: cell.column } : { x: cell.column, y: cell.row });
  const corner = (place) => ({ x: layout.left + place.x * layout.cell, y: layout.above + (layout.up.length - 1 - place.y) * layout.tall });

  // A value on the one scale, as a share of the room a bar has.
  const share = (value) => (value - data.span[0]) / (data.span[1] - data.span[0]);

  function bar(cell, x, y) {
    const { cell: wide, tall } = layout;
    const numbered = wide >= NUMBERED;
    const pad = Math.min(7, wide * 0.14);
    const [from, size] = line ? [y + tall - 12, -(tall - (numbered ? 40 : 22))] : [x + pad, wide - 2 * pad];
    const across = line ? x + wide / 2 : y + tall * (numbered ? 0.72 : 0.5);
    const half = line ? wide / 2 - 2 : Math.min(8, tall * 0.16);
    const point = (value) => from + size * Math.max(0, Math.min(1, share(value)));
    const stroke = (a, b, c, d, given) => (line ? drawn("line", { y1: a, y2: b, x1: c, x2: d, ...given }) : drawn("line", { x1: a, x2: b, y1: c, y2: d, ...given }));
    const parts = [stroke(point(0), point(0), across - half, across + half, { class: "zero", stroke: shades.quiet, "stroke-width": 1, "stroke-dasharray": "2 2" })];
    if (cell.low !== null) {
      parts.push(stroke(point(cell.low), point(cell.high), across, across, { class: "interval", stroke: shades.ink, "stroke-width": wide < NUMBERED ? 1.5 : 2, "stroke-linecap": "round" }));
      for (const [value, beyond, way] of [[cell.low, cell.low < data.span[0], -1], [cell.high, cell.high > data.span[1], 1]])
        if (beyond) {
          const [tip, back] = [point(value) + (line ? -way : way) * 4, point(value)];
          const corners = line ? [[across, tip], [across - 4, back], [across + 4, back]] : [[tip, across], [back, across - 4], [back, across + 4]];
          parts.push(drawn("path", { class: "beyond", d: `M${corners.map((c) => c.join(" ")).join("L")}Z`, fill: shades.ink }));
        }
    }
    const place = line ? { cx: across, cy: point(cell.gain) } : { cx: point(cell.gain), cy: across };
    parts.push(drawn("circle", { ...place, r: wide < NUMBERED ? 2.2 : 3.2, fill: shades.ink }));
    return parts;
  }

  function square(cell) {
    const { x, y } = corner(at(cell));
    const { cell: wide, tall } = layout;
    const numbered = wide >= NUMBERED;
    const size = Math.min(13, wide / (cell.text.length * 0.56 + 0.4));
    const text = numbered || cell.gain === null
      ? drawn("text", { x: x + wide / 2, y: y + (line ? 18 : tall * (cell.gain === null ? 0.6 : 0.42)), "text-anchor": "middle", "font-size": size, "font-weight": cell.unclear || cell.gain === null ? 400 : 650, fill: shades.ink }, cell.text)
      : null;
    const star = cell.best ? drawn("text", { class: "star", x: x + 4, y: y + 13, "font-size": 11, fill: shades.ink }, "★") : null;
    const inside = { x: x + 1.5, y: y + 1.5, width: wide - 3, height: tall - 3, rx: 3 };
    return drawn(
      "g", { role: "gridcell", tabindex: -1, "aria-label": cell.name, "aria-selected": app.data.choose ? "false" : null, "data-cell": cell.id },
      drawn("rect", { class: "ground", ...inside, fill: fill(cell) }), ...(cell.gain === null ? [] : bar(cell, x, y)), text, star,
      drawn("rect", { class: "ring", ...inside, fill: "none" }),
    );
  }

  // One outline around cells that touch: only the edges that lead out of the group are drawn.
  function frame() {
    const held = new Set(data.cells.filter((cell) => cell.like).map((cell) => `${at(cell).x},${at(cell).y}`));
    if (held.size < 1) return null;
    const parts = [];
    for (const key of held) {
      const [x, y] = key.split(",").map(Number);
      const { x: l, y: t } = corner({ x, y });
      const [r, b] = [l + layout.cell, t + layout.tall];
      for (const [dx, dy, edge] of [[0, 1, `M${l} ${t}H${r}`], [0, -1, `M${l} ${b}H${r}`], [-1, 0, `M${l} ${t}V${b}`], [1, 0, `M${r} ${t}V${b}`]])
        if (!held.has(`${x + dx},${y + dy}`)) parts.push(edge);
    }
    return drawn("path", { class: "frame", d: parts.join(""), fill: "none", stroke: shades.ink, "stroke-width": 2, "stroke-linecap": "square", "pointer-events": "none" });
  }

  function axes() {
    const { left, above, cell, tall, across, up, titles, height } = layout;
    const quiet = { fill: shades.quiet, "font-size": 12 };
    const bottom = above + up.length * tall;
    const places = across.map((name, i) => drawn("text", { ...quiet, x: left + (i + 0.5) * cell, y: bottom + 16, "text-anchor": "middle", "font-size": Math.min(12, (cell - 2) / (name.length * 0.56)) }, name));
    places.push(drawn("text", { ...quiet, x: left + (across.length * cell) / 2, y: height - 6, "text-anchor": "middle" }, titles[1]));
    if (line) {
      const [foot, size] = [bottom - 12, tall - (cell >= NUMBERED ? 40 : 22)];
      data.ends.forEach((name, i) => {
        const value = [data.span[0], 0, data.span[1]][i];
        if (i !== 1 && Math.abs(share(value) - share(0)) < 0.12) return;
        places.push(drawn("text", { ...quiet, x: left - 6, y: foot - size * share(value) + 4, "text-anchor": "end" }, name));
      });
    } else {
      up.forEach((name, i) => places.push(drawn("text", { ...quiet, x: left - 6, y: above + (up.length - 0.5 - i) * tall + 4, "text-anchor": "end" }, name)));
      places.push(drawn("text", { ...quiet, x: 0, y: 13 }, titles[0]));
    }
    return drawn("g", { "aria-hidden": "true" }, ...places);
  }

  return {
    element: holder,
    groups: () => groups,
    coloured,
    lay(width) {
      layout = laid(width);
      const rows = layout.up.map((_, i) => layout.up.length - 1 - i).map((y) => {
        const members = data.cells.filter((cell) => at(cell).y === y).sort((a, b) => at(a).x - at(b).x);
        return drawn("g", { role: "row" }, ...members.map(square));
      });
      const grid = drawn("g", { role: "grid", "aria-label": data.label, "aria-describedby": `${app.id}-note` }, ...rows.filter((row) => row.childNodes.length));
      const picture = drawn("svg", { width: layout.width, height: layout.height, viewBox: `0 0 ${layout.width} ${layout.height}`, "font-family": app.style("--st-font") || "sans-serif" }, axes(), grid, frame());
      holder.replaceChildren(picture);
      groups = new Map([...picture.querySelectorAll("[data-cell]")].map((group) => [Number(group.dataset.cell), group]));
    },
    // The cell beside another, as it is drawn; null at the edge.
    beside(id, dx, dy) {
      const from = at(data.cells.find((cell) => cell.id === id));
      for (let [x, y] = [from.x + dx, from.y + dy]; x >= 0 && y >= 0 && x < layout.across.length && y < layout.up.length; x += dx, y += dy) {
        const next = data.cells.find((cell) => at(cell).x === x && at(cell).y === y);
        if (next) return next.id;
      }
      return null;
    },
    end(id, way) {
      const { y } = at(data.cells.find((cell) => cell.id === id));
      const row = data.cells.filter((cell) => at(cell).y === y).sort((a, b) => at(a).x - at(b).x);
      return (way < 0 ? row[0] : row[row.length - 1]).id;
    },
    picture: () => holder.firstElementChild,
    paper: () => shades.paper,
  };
}
