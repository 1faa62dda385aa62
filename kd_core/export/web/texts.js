// Texts as numbers, as the views of kd_core read them: word pieces in order, weighted pieces of words, and topics of a column.

const halfEven = (x) => {
  const low = Math.floor(x);
  const away = x - low;
  return away < 0.5 || (away === 0.5 && low % 2 === 0) ? low : low + 1;
};

function arrayOf(told) {
  const text = atob(told.base64);
  const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
  return new { float32: Float32Array, float64: Float64Array, uint16: Uint16Array }[told.dtype](bytes.buffer);
}

// Word pieces (views/tokens.py): cleaned and cut as BERT does, then pairs joined by their rank

const CJK = /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/u;
const WHITE = /[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/u;
const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\ufffd]/u;
const MARK = /[!-/:-@[-`{-~]|\p{P}/u;

function cleaned(text) {
  let found = "";
  for (const c of text) {
    if (c === "\t" || c === "\n" || c === "\r") found += " ";
    else if (HIDDEN.test(c)) continue;
    else if (WHITE.test(c)) found += " ";
    else found += CJK.test(c) ? ` ${c} ` : c;
  }
  return Array.from(found.normalize("NFD").replace(/\p{Mn}/gu, ""), (c) => c.toLowerCase()).join("");
}

function cut(text) {
  const found = [];
  let word = "";
  for (const c of text) {
    const mark = MARK.test(c);
    if (!mark && !WHITE.test(c)) {
      word += c;
      continue;
    }
    if (word) found.push(word);
    word = "";
    if (mark) found.push(c);
  }
  return word ? [...found, word] : found;
}

function tokensReader(told) {
  const vocabulary = new Map(Object.entries(told.model.vocab));
  const unknown = vocabulary.get(told.model.unk_token);
  const ranks = new Map();
  told.model.merges.forEach((pair, rank) => {
    const [first, second] = Array.isArray(pair) ? pair : pair.split(" ");
    ranks.set(`${vocabulary.get(first)} ${vocabulary.get(second)}`, [rank, vocabulary.get(first + second)]);
  });
  const added = told.added_tokens.map((one) => one.content);
  const length = told.truncation.max_length;
  const known = new Map();

  function joined(word) {
    if (known.has(word)) return known.get(word);
    const ids = Array.from(word, (c) => vocabulary.get(c) ?? unknown);
    for (;;) {
      let best = null;
      for (let at = 0; at + 1 < ids.length; at++) {
        const pair = ranks.get(`${ids[at]} ${ids[at + 1]}`);
        if (pair && (!best || pair[0] < best[0])) best = [pair[0], pair[1], at];
      }
      if (!best) break;
      ids.splice(best[2], 2, best[1]);
    }
    known.set(word, ids);
    return ids;
  }

  function parts(text) { // words that are numbers of their own stand in the text as it is
    const found = [];
    let from = 0;
    while (from < text.length) {
      let next = null;
      for (const word of added) {
        const at = text.indexOf(word, from);
        if (at >= 0 && (!next || at < next[0])) next = [at, word];
      }
      if (!next) break;
      found.push(text.slice(from, next[0]), next);
      from = next[0] + next[1].length;
    }
    return [...found, text.slice(from)];
  }

  return {
    length,
    read(text, row) {
      let at = 0;
      for (const part of parts(text)) {
        const ids = Array.isArray(part) ? [vocabulary.get(part[1])] : cut(cleaned(part)).flatMap(joined);
        for (const id of ids) if (at < length) row[at++] = id;
      }
    },
  };
}

// Weighted pieces of words (views/ngrams.py)

function piecesOfWords(text) {
  const words = wordsOf(text.toLowerCase());
  const found = [];
  for (let at = 0; at + 1 < words.length; at++) found.push(`${words[at]} ${words[at + 1]}`);
  for (const word of words) {
    const letters = [" ", ...word, " "];
    for (const size of [3, 4]) {
      for (let at = 0; at + size <= letters.length; at++) found.push(letters.slice(at, at + size).join(""));
    }
  }
  return found;
}

function piecesOfRun(letters, sizes) {
  const found = [];
  for (const size of sizes) {
    for (let at = 0; at + size <= letters.length; at++) found.push(letters.slice(at, at + size).join(""));
  }
  return found;
}

function counted(pieces, numbers) {
  const counts = new Map();
  for (const piece of pieces) {
    const number = numbers.get(piece);
    if (number !== undefined) counts.set(number, (counts.get(number) || 0) + 1);
  }
  return [...counts].sort((a, b) => a[0] - b[0]);
}

function ngramsReader(told) {
  const numbers = new Map(told.terms.map((term, at) => [term, at + 1]));
  const idf = arrayOf(told.idf);
  return {
    length: told.length,
    read(text, row) {
      const pieces = told.spaced ? piecesOfWords(text) : piecesOfRun([...wordsOf(text.toLowerCase()).join(" ")], [1, 2, 3]);
      counted(pieces, numbers).slice(0, told.length).forEach(([number, times], at) => {
        const weight = halfEven(idf[number - 1] * (1 + Math.log(Math.min(times, 1000))));
        row[at] = number * told.step + Math.min(weight, told.step - 1);
      });
    },
  };
}

// Topics of a column of free text (encoding/text_block.py)

function topicsReader(told) {
  const numbers = new Map(told.terms.map((term, at) => [term, at]));
  const [idf, topics, spread, logs] = [told.idf, told.topics, told.spread, told.logs].map(arrayOf);
  // Where a topic hardly varies, rounding is all that there is of it: it must be the engine's
  const round = topics instanceof Float32Array ? Math.fround : (x) => x;
  const runs = new RegExp(`[${SPACE}]{2,}`, "gu");
  function pieces(text) {
    if (!told.spaced) return piecesOfRun([...text.toLowerCase().replace(runs, " ")], [1, 2]);
    return wordsOf(text.toLowerCase()).flatMap((word) => piecesOfRun([" ", ...word, " "], [3, 4]));
  }
  const width = spread.length;
  return {
    width: width + 1,
    read(text, row) {
      if (width) {
        const found = counted(pieces(text), numbers);
        const weights = found.map(([place, times]) => Math.fround(Math.fround(logs[Math.min(times, logs.length) - 1] + 1) * idf[place]));
        const norm = Math.sqrt(weights.reduce((sum, w) => sum + round(w * w), 0)) || 1;
        for (let topic = 0; topic < width; topic++) {
          let sum = 0;
          found.forEach(([place], at) => {
            sum = round(sum + round(Math.fround(weights[at] / norm) * topics[topic * told.terms.length + place]));
          });
          row[topic] = Math.max(-10, Math.min(10, sum / spread[topic]));
        }
      }
      row[width] = Math.log1p([...text].length) / 4;
    },
  };
}
