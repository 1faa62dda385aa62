// Cells read by the rules of their columns, as kd_core/data/plain does: numbers, codes and times become numbers, NaN where missing
// (times: seconds since 1970 UTC); labels and texts become text, empty where missing.

const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"; // as Python's str.isspace
const OUTER = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, "gu");
const BETWEEN = new RegExp(`[${SPACE}]+`, "u");
const trimmed = (text) => text.replace(OUTER, "");
const wordsOf = (text) => text.split(BETWEEN).filter((word) => word);
const isNumber = (rule) => rule.kind === "number" || Boolean(rule.codes);

function cellReader(rule, reading) {
  if (rule.kind === "datetime") return timesOf(rule, reading);
  return isNumber(rule) ? numbersOf(rule, reading) : labelsOf(rule, reading);
}

function writtenAs(cell, rule) {
  if (cell === null || cell === undefined) return "";
  if (typeof cell === "boolean") return (rule.truth || ["False", "True"])[Number(cell)];
  if (typeof cell === "number") return Number.isNaN(cell) ? "" : String(cell).replace(".", (rule.number || {}).decimal || ".");
  return String(cell).replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "?");
}

// Numbers

const PLAIN = "[+-]?(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?";
const COMMA = "[+-]?[0-9]+(?:,[0-9]+)?(?:[eE][+-]?[0-9]+)?";
const COMMA_GROUPS = "[+-]?[0-9]{1,3}(?:[. ’'][0-9]{3})*,[0-9]+|[+-]?[1-9][0-9]{0,2}(?:[. ’'][0-9]{3})+";
const POINT_GROUPS = "[+-]?[1-9][0-9]{0,2}(?:[, ’'][0-9]{3})+(?:\\.[0-9]+)?";

function numberText(form) {
  const comma = form.decimal === ",";
  const parts = comma ? [COMMA, COMMA_GROUPS] : form.thousands ? [PLAIN, POINT_GROUPS] : [PLAIN];
  const fits = new RegExp(`^(?:${parts.join("|")})$`);
  const gone = comma ? /[.’' \u00a0\u202f]/g : form.thousands ? /[,’' \u00a0\u202f]/g : null;
  return (text) => {
    if (!fits.test(text)) return NaN;
    const bare = gone ? text.replace(gone, "") : text;
    return Number(comma ? bare.replace(",", ".") : bare);
  };
}

function numbersOf(rule, reading) {
  const parsed = numberText(rule.number || {});
  const missing = new Set(reading.missing);
  return (cell) => {
    let value = cell;
    if (typeof cell !== "number") {
      const text = trimmed(writtenAs(cell, rule));
      value = missing.has(text) ? NaN : parsed(text);
    }
    return Math.abs(value) <= reading.largest ? value : NaN;
  };
}

// Labels and texts

const folded = (text) => text.toLowerCase().replace(/ſ/g, "s").replace(/ﬀ/g, "ff").replace(/[ﬅﬆ]/g, "st");

function labelsOf(rule, reading) {
  const missing = new Set(rule.missing || []);
  const spelling = new Map(Object.entries(rule.spelling || {}));
  const sides = new Map();
  if (rule.kind === "boolean" && rule.truth && rule.truth.length) {
    for (const word of reading.no) sides.set(word, rule.truth[0]);
    for (const word of reading.yes) sides.set(word, rule.truth[1]);
  }
  return (cell) => {
    const text = trimmed(writtenAs(cell, rule)).normalize("NFC");
    if (!text || missing.has(text)) return "";
    return sides.get(folded(text)) || (spelling.has(text) ? spelling.get(text) : text);
  };
}

// Times: kd_core/data/plain/time_text.py, whose source is pandas

const ISO = "ISO 8601";
const UNIX = "unix seconds";
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const LONG = "september|february|november|december|january|october|august|march|april|june|july|may";
const TAKES = {
  d: "(?<d>3[0-1]|[1-2][0-9]|0[1-9]|[1-9]| [1-9])",
  f: "(?<f>[0-9]{1,9})",
  H: "(?<H>2[0-3]|[0-1][0-9]|[0-9])",
  I: "(?<I>1[0-2]|0[1-9]|[1-9])",
  m: "(?<m>1[0-2]|0[1-9]|[1-9])",
  M: "(?<M>[0-5][0-9]|[0-9])",
  S: "(?<S>6[0-1]|[0-5][0-9]|[0-9])",
  y: "(?<y>[0-9][0-9])",
  Y: "(?<Y>[0-9]{4})",
  p: "(?<p>am|pm)",
  b: `(?<b>${MONTHS.join("|")})`,
  B: `(?<B>${LONG})`,
};
const DATE = /^(?:(\d{4})(?:$|([-./\\ ])(\d\d?)(?:$|\2(\d\d?)))|(\d{4})(\d\d)(\d\d))/;
const CLOCK =
  /^[T ](?:(\d\d?):(\d\d?)(?::(\d\d?)(?:\.(\d{0,18}))?)?|(\d\d)(?:(\d\d)(?:(\d\d?)(?:\.(\d{0,18}))?)?)?)[ \t]*(?:Z|([+-])(\d\d?)(?::?(\d\d?))?)?$/;

const YEAR_FIRST = /^\d{4}-\d\d-\d\d(?:[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?)?$/;

function timesOf(rule, reading) {
  const own = timesInForm(rule, reading);
  return (cell) => {
    const seconds = own(cell);
    const text = Number.isNaN(seconds) ? trimmed(writtenAs(cell, rule)) : "";
    return YEAR_FIRST.test(text) ? isoTime(text) / 1e6 : seconds;
  };
}

function timesInForm(rule, reading) {
  const form = rule.date_format || ISO;
  if (form === UNIX) {
    const number = numbersOf(rule, reading);
    return (cell) => {
      const seconds = number(cell);
      return Math.abs(seconds) < 2 ** 63 / 1e6 ? Math.floor(seconds * 1e6) / 1e6 : NaN;
    };
  }
  const parsed = form === ISO ? isoTime : timeIn(form);
  return (cell) => parsed(trimmed(writtenAs(cell, rule))) / 1e6;
}

function timeIn(form) {
  let pattern = "";
  for (const [, literal, letter] of form.matchAll(/([^%]*)%?(\w?)/g)) {
    pattern += literal.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&").replace(/ +/g, `[${SPACE}]+`) + (TAKES[letter] || "");
  }
  const fits = new RegExp(`^(?:${pattern})$`, "i");
  return (text) => {
    const found = fits.exec(text);
    if (!found) return NaN;
    const told = found.groups;
    const year = told.Y !== undefined ? Number(told.Y) : Number(told.y) + (Number(told.y) <= 68 ? 2000 : 1900);
    const name = told.b || told.B;
    const month = name ? 1 + MONTHS.indexOf(name.slice(0, 3).toLowerCase()) : Number(told.m);
    let hour = Number(told.H || 0);
    if (told.p) hour = (Number(told.I) % 12) + 12 * Number(told.p.toLowerCase() === "pm");
    return micros(year, month, Number(told.d), hour, Number(told.M || 0), Number(told.S || 0), told.f || "");
  };
}

function isoTime(text) {
  const found = DATE.exec(text);
  if (!found) return NaN;
  const [year, month, day] = found[5] ? found.slice(5, 8) : [found[1], found[3], found[4]];
  const rest = text.slice(found[0].length);
  let clock = [0, 0, 0, ""];
  let shift = 0;
  if (rest) {
    const told = CLOCK.exec(rest);
    if (!told) return NaN;
    const [hour, minute, second, fraction] = told[1] ? told.slice(1, 5) : told.slice(5, 9);
    clock = [Number(hour), Number(minute || 0), Number(second || 0), fraction || ""];
    const [sign, hours, minutes] = told.slice(9);
    if (clock[0] > 23 || Number(hours || 0) > 23 || Number(minutes || 0) > 59) return NaN;
    shift = (Number(hours || 0) * 60 + Number(minutes || 0)) * 60e6 * (sign === "-" ? -1 : 1);
  }
  return micros(Number(year), Number(month || 1), Number(day || 1), ...clock) - shift;
}

function micros(year, month, day, hour, minute, second, fraction) {
  const when = new Date(0);
  when.setUTCFullYear(year, month - 1, day);
  if (year < 1 || when.getUTCFullYear() !== year || when.getUTCMonth() !== month - 1 || when.getUTCDate() !== day) return NaN;
  if (minute > 59 || second > 59 || (fraction.length > 6 && (year < 1678 || year > 2261))) return NaN;
  const clock = (hour * 60 + minute) * 60 + second;
  return when.getTime() * 1000 + clock * 1e6 + Number(fraction.slice(0, 6).padEnd(6, "0"));
}
