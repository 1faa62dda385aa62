// The student itself: what stands in the page is unpacked, rows are read, ONNX Runtime answers.

const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

async function unpacked(id) {
  const packed = new Blob([bytesOf(document.getElementById(id).textContent)]);
  const opened = packed.stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(opened).arrayBuffer());
}

const textOf = async (id) => new TextDecoder().decode(await unpacked(id));

class Student {
  static async open() {
    const made = new Student();
    made.plan = JSON.parse(await textOf("plan"));
    const address = URL.createObjectURL(new Blob([await unpacked("runtime")], { type: "text/javascript" }));
    const ort = (made.ort = await import(address));
    URL.revokeObjectURL(address);
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmBinary = await unpacked("wasm");
    made.session = await ort.InferenceSession.create(await unpacked("model"));
    made.front = document.getElementById("front") && (await ort.InferenceSession.create(await unpacked("front")));
    const { columns, reading, texts, view } = made.plan;
    made.readers = Object.fromEntries(
      Object.entries(columns).filter(([, rule]) => rule.kind !== "picture").map(([name, rule]) => [name, cellReader(rule, reading)]),
    );
    made.topics = Object.fromEntries(Object.entries(texts).map(([name, told]) => [name, topicsReader(told)]));
    const makers = { tokens: tokensReader, ngrams: ngramsReader, pixels: pixelsReader };
    made.parts = Object.fromEntries(Object.keys(makers).filter((kind) => view[kind]).map((kind) => [kind, makers[kind](view[kind])]));
    return made;
  }

  // Rows by column name -> answers: each class's probability, or the number alone
  async answer(rows) {
    const found = [];
    for (let at = 0; at < rows.length; at += 64) {
      const some = rows.slice(at, at + 64);
      const feeds = this.plan.kind === "columns" ? this.columns(some) : { x: await this.encoded(some) };
      const told = await this.session.run(feeds);
      const { data, dims } = told[this.session.outputNames[0]];
      for (let row = 0; row < some.length; row++) found.push(Array.from(data.subarray(row * dims[1], (row + 1) * dims[1])));
    }
    return found;
  }

  columns(rows, names = Object.keys(this.plan.columns)) {
    const { Tensor } = this.ort;
    return Object.fromEntries(
      names.map((name) => {
        const rule = this.plan.columns[name];
        const cells = rows.map((row) => this.readers[name](row[name]));
        if (this.topics[name]) {
          const { width, read } = this.topics[name];
          const data = new Float32Array(rows.length * width);
          cells.forEach((text, at) => read(text, data.subarray(at * width, (at + 1) * width)));
          return [name, new Tensor("float32", data, [rows.length, width])];
        }
        const numeric = isNumber(rule) || rule.kind === "datetime";
        return [name, numeric ? new Tensor("float64", Float64Array.from(cells), [rows.length, 1]) : new Tensor("string", cells, [rows.length, 1])];
      }),
    );
  }

  async encoded(rows) {
    const { Tensor } = this.ort;
    const { kind } = this.plan;
    if (kind === "pixels") {
      const { bands, high, out } = this.parts.pixels;
      return new Tensor("uint8", await this.pixels(rows), [rows.length, bands, high, out]);
    }
    if (kind !== "together") {
      const { data, length } = this.words(kind, rows);
      return new Tensor("int32", data, [rows.length, length]);
    }
    const blocks = [];
    if (this.front) {
      const told = await this.front.run(this.columns(rows, this.plan.view.table.columns));
      const { data, dims } = told[this.front.outputNames[0]];
      const { steps, most } = this.plan.view.packing;
      const whole = Int32Array.from(data, (x) => Math.max(-most, Math.min(most, halfEven(x * steps))));
      blocks.push({ data: whole, length: dims[1] });
    }
    if (this.parts.ngrams) blocks.push(this.words("ngrams", rows));
    if (this.parts.pixels) blocks.push(this.threeInOne(await this.pixels(rows), rows.length));
    const width = blocks.reduce((sum, block) => sum + block.length, 0);
    const joined = new Int32Array(rows.length * width);
    for (let row = 0, at = 0; row < rows.length; row++) {
      for (const { data, length } of blocks) {
        joined.set(data.subarray(row * length, (row + 1) * length), at);
        at += length;
      }
    }
    return new Tensor("int32", joined, [rows.length, width]);
  }

  words(kind, rows) {
    const { length, read } = this.parts[kind];
    const names = Object.keys(this.plan.columns).filter((name) => this.plan.columns[name].kind === "text");
    const data = new Int32Array(rows.length * length);
    rows.forEach((row, at) => {
      const text = names.map((name) => this.readers[name](row[name])).join(" ");
      read(text, data.subarray(at * length, (at + 1) * length));
    });
    return { data, length };
  }

  async pixels(rows) {
    const { bands, high, out, read } = this.parts.pixels;
    const size = bands * high * out;
    const data = new Uint8Array(rows.length * size);
    const name = this.plan.view.pixels.column;
    for (let at = 0; at < rows.length; at++) {
      const cell = rows[at][name];
      await read(cell && cell.base64 ? bytesOf(cell.base64) : cell, data.subarray(at * size, (at + 1) * size));
    }
    return data;
  }

  threeInOne(data, count) {
    const size = data.length / count;
    const length = Math.ceil(size / 3);
    const packed = new Int32Array(count * length);
    for (let row = 0; row < count; row++) {
      for (let at = 0; at < size; at++) packed[row * length + (at % length)] |= data[row * size + at] << (8 * Math.floor(at / length));
    }
    return { data: packed, length };
  }
}
