// What a row is: its texts, pictures and fields, read from the columns that came with the logits.
function rowContent(data, words) {
  const { texts, fields, strips, thumbs } = data.shape;
  const cell = (at, row) => data.cells.getChildAt(at).get(row) ?? "";
  const fieldAt = (at) => texts.length + at;
  // A history, its items one a line, the oldest first.
  const items = (at, row) => cell(texts.length + fields.length + at, row).split("\n").filter(Boolean);

  function strip(row, at, most) {
    const all = items(at, row);
    const shown = all.slice(-most);
    const older = all.length > shown.length ? el("span", { class: "quiet" }, filled(words.older, { num: all.length - shown.length })) : null;
    const chips = shown.map((item, i) => el("span", { class: i === shown.length - 1 ? "item newest" : "item" }, short(item, 30)));
    return el("span", { class: "strip" }, older, ...(chips.length ? chips : [el("span", { class: "quiet" }, words.no_items)]));
  }

  function picture(row, size) {
    const across = thumbs.columns;
    return el("span", {
      class: "picture", role: "img", "aria-label": words.picture,
      style: `width:${size}px;height:${size}px;background-size:${size * across}px auto;background-position:-${size * (row % across)}px -${size * Math.floor(row / across)}px`,
    });
  }

  function pictured(row, size) {
    const found = picture(row, size);
    found.style.backgroundImage = `url("${thumbs.url}")`;
    return found;
  }

  return {
    pictures: Boolean(thumbs),
    // In a list: a picture, or the beginning of the text, or the first fields.
    brief(row) {
      if (thumbs) return pictured(row, 36);
      if (strips.length) return strip(row, 0, 3);
      const text = texts.length ? texts.map((_, at) => cell(at, row)).find(Boolean) ?? "" : fields.map((name, at) => `${name} ${cell(fieldAt(at), row)}`).slice(0, 4).join(" · ");
      return el("span", { class: "brief" }, text.length > 90 ? `${text.slice(0, 90)}…` : text);
    },
    whole(row) {
      const found = [];
      if (thumbs) found.push(pictured(row, 112));
      texts.forEach((name, at) => {
        if (texts.length > 1) found.push(el("h3", {}, name));
        found.push(el("blockquote", {}, cell(at, row)));
      });
      strips.forEach((name, at) => {
        if (strips.length > 1 || fields.length || texts.length) found.push(el("h3", {}, name));
        found.push(strip(row, at, 14));
      });
      if (fields.length) {
        const list = el("dl", {}, ...fields.map((name, at) => el("div", {}, el("dt", {}, name), el("dd", {}, cell(fieldAt(at), row)))));
        const begin = found.length ? null : el("span", {}, ` ${fields.map((name, at) => `${name} ${cell(fieldAt(at), row)}`).slice(0, 4).join(" · ")} …`);
        found.push(fields.length > 4 || found.length ? el("details", {}, el("summary", {}, filled(words.values, { num: fields.length }), begin), list) : list);
      }
      return found;
    },
  };
}
