// Draws the class map: a moving layer of cells, and a still one of names and the tree.
const SHADES = 255;
const NAMED = 40; // classes in sight up to which their names are written
const PALE = 0.3; // how much of its colour a cell of few rows has
const VAGUE = 0.35; // and every cell of a map of which nothing can be told
const VALUED = 12; // and up to which each cell has its number

function ramp(paper, low, high) {
  const table = new Uint8ClampedArray(3 * (SHADES + 1));
  for (let i = 0; i <= SHADES; i++) {
    const share = (2 * i) / SHADES - 1;
    const hue = share < 0 ? low : high;
    const strength = Math.abs(share) < 0.005 ? 0 : 0.04 + 0.91 * Math.abs(share);
    for (let k = 0; k < 3; k++) table[3 * i + k] = hue[k] * strength + paper[k] * (1 - strength);
  }
  return table;
}

const luminance = (colour) => {
  const [r, g, b] = colour.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

function mapDrawing(app, cells, still) {
  const { model, data } = app;
  const { C } = model;
  const order = data.order;
  const image = new ImageData(C, C);
  const off = el("canvas", { width: C, height: C });
  const [place, context] = [off.getContext("2d"), cells.getContext("2d")];
  const frame = still.getContext("2d");
  let [layout, colours] = [null, null];

  function painted() {
    const paper = rgb(app.style("--st-background-color"));
    const ink = app.style("--st-text-color");
    const dark = luminance(paper) < 0.2;
    const vivid = (hue) => rgb(hue).map((v) => (dark ? 0.6 * v + 0.4 * 255 : v)); // on a dark page the strongest is the lightest
    const hues = { purple: vivid(data.colours.lost), orange: vivid(data.colours.gained), teacher: vivid(data.colours.teacher) };
    for (const [name, hue] of Object.entries(hues)) cells.parentElement.parentElement.style.setProperty(`--${name}-most`, `rgb(${hue})`);
    colours = { paper, ink, faint: app.style("--st-gray-text-color") || ink, line: app.style("--st-border-color"), lift: ramp(paper, paper, hues.teacher), moved: ramp(paper, hues.purple, hues.orange) };
  }

  // Room for names left and above, the tree to the right; cells are squares.
  function laid(view, width) {
    const named = view.size <= NAMED;
    const grown = Number(app.style("--grown")) || 1;
    const [left, treeWidth] = [named ? Math.min(150 * grown, width * 0.3) : 4, Math.min(90, width * 0.14)];
    const above = named ? 96 * grown : 4;
    const cell = Math.max(1, Math.min(44 * grown, (width - left - treeWidth - 8) / view.size, Math.max(7, (620 * grown) / view.size)));
    const side = cell * view.size;
    return { ...view, grown, named, left, above, cell, side, treeLeft: left + side + 6, treeWidth, width, height: above + side + 4 };
  }

  function sized(canvas, { width, height }) {
    const dense = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * dense);
    canvas.height = Math.round(height * dense);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    canvas.getContext("2d").setTransform(dense, 0, 0, dense, 0, 0);
  }

  function names() {
    const { row, column: from, size, left, above, cell, side, grown } = layout;
    frame.font = `${Math.min(12.5 * grown, cell + 2)}px ${app.style("--st-font") || "sans-serif"}`;
    frame.fillStyle = colours.ink;
    frame.textBaseline = "middle";
    for (let at = 0; at < size; at++) {
      frame.textAlign = "right";
      frame.fillText(short(data.classes[order[row + at]], 20), left - 6, above + (at + 0.5) * cell, left - 8);
      frame.save();
      frame.translate(left + (at + 0.5) * cell, above - 5);
      frame.rotate(-Math.PI / 3);
      frame.textAlign = "left";
      frame.fillText(short(data.classes[order[from + at]], 16), 0, 0, above + 4);
      frame.restore();
    }
    frame.strokeStyle = colours.line;
    frame.strokeRect(left - 0.5, above - 0.5, side + 1, side + 1);
  }

  // The tree of the classes in sight: the further to the right two are joined, the less alike they are.
  function tree() {
    const { row, size, above, cell, treeLeft, treeWidth } = layout;
    const { joined, heights } = data;
    if (!heights.length) return;
    const [high, low] = [heights[0], heights.reduce((a, b) => Math.min(a, b))];
    const x = (height) => treeLeft + 3 + ((high - height) / (high - low || 1)) * (treeWidth - 8);
    const at = new Float64Array(C + joined.length);
    const out = new Float64Array(C + joined.length).fill(treeLeft);
    order.forEach((c, position) => { at[c] = position; });
    frame.save();
    frame.beginPath();
    frame.rect(treeLeft, above - 1, treeWidth, size * cell + 2);
    frame.clip();
    frame.beginPath();
    joined.forEach(([a, b], step) => {
      const [y1, y2] = [a, b].map((node) => above + (at[node] - row + 0.5) * cell);
      const end = Math.max(x(heights[step]), out[a], out[b]);
      frame.moveTo(out[a], y1);
      frame.lineTo(end, y1);
      frame.lineTo(end, y2);
      frame.lineTo(out[b], y2);
      at[C + step] = (at[a] + at[b]) / 2;
      out[C + step] = end;
    });
    frame.strokeStyle = colours.faint;
    frame.stroke();
    frame.restore();
  }

  function values(of, scale, held) {
    const { row, column: from, size, left, above, cell, grown } = layout;
    context.font = `${Math.min(12.5 * grown, cell / 2.6)}px ${app.style("--st-font") || "sans-serif"}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++) {
        const k = order[row + i] * C + order[from + j];
        const value = of[k];
        if (!Number.isFinite(value)) continue;
        const shade = 3 * scale.at(value);
        const under = luminance(Array.from(scale.table.slice(shade, shade + 3), (v, c) => held(k) * v + (1 - held(k)) * colours.paper[c]));
        context.fillStyle = (under + 0.05) / 0.05 > 1.05 / (under + 0.05) ? "#000000" : "#ffffff";
        context.fillText(times(value), left + (j + 0.5) * cell, above + (i + 0.5) * cell);
      }
  }

  // Pale alone is not seen on a dark page: a dashed frame says it too.
  function framed(few, of) {
    const { row, column: from, size, left, above, cell } = layout;
    context.strokeStyle = colours.faint;
    context.setLineDash([2, 2]);
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++) {
        const k = order[row + i] * C + order[from + j];
        if (few[k] && Number.isFinite(of[k])) context.strokeRect(left + j * cell + 1.5, above + i * cell + 1.5, cell - 3, cell - 3);
      }
    context.setLineDash([]);
  }

  return {
    painted,
    lay(view, width) {
      layout = laid(view, width);
      sized(cells, layout);
      sized(still, layout);
      frame.clearRect(0, 0, layout.width, layout.height);
      if (layout.named) names();
      tree();
      return layout;
    },
    // Paint log lifts; the strongest shade is the largest cell. `signed`: orange above 0, purple below; `few`: cells that are faint; `vague`: all are.
    paint(of, most, signed, few, vague) {
      const held = (k) => (few[k] ? PALE : vague ? VAGUE : 1);
      const table = signed ? colours.moved : colours.lift;
      const at = (value) => Math.round(((Math.max(signed ? -1 : 0, Math.min(1, most > 0 ? value / most : 0)) + 1) / 2) * SHADES);
      const pixels = image.data;
      const blank = rgb(colours.line);
      for (let i = 0, k = 0; i < C; i++)
        for (let j = 0, line = order[i] * C; j < C; j++, k += 4) {
          const value = of[line + order[j]];
          const known = value === value;
          const shade = known ? 3 * at(value) : 0;
          for (let b = 0; b < 3; b++) pixels[k + b] = known ? table[shade + b] : blank[b];
          pixels[k + 3] = known ? 255 * held(line + order[j]) : 130;
        }
      place.putImageData(image, 0, 0);
      const { row, column: from, size, left, above, cell, side, width, height } = layout;
      context.clearRect(0, 0, width, height);
      context.imageSmoothingEnabled = false;
      context.drawImage(off, from, row, size, size, left, above, side, side);
      if (cell >= 7) {
        context.strokeStyle = `rgb(${colours.paper})`;
        context.beginPath();
        for (let i = 1; i < size; i++) {
          context.moveTo(left + i * cell, above);
          context.lineTo(left + i * cell, above + side);
          context.moveTo(left, above + i * cell);
          context.lineTo(left + side, above + i * cell);
        }
        context.stroke();
        framed(few, of);
      }
      if (size <= VALUED && cell >= 24) values(of, { table, at }, held);
    },
  };
}
