// Where values stand on an axis, and which of them are written there.
const STEPS = [1, 2, 5, 10];
const ROOM = 0.05; // beside the values, as a share of what they span

function span(values, log) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (!Number.isFinite(low)) return log ? [-1, 1] : [0, 1];
  const [from, to] = log ? [Math.log10(low), Math.log10(high)] : [low, high];
  const room = (to - from) * ROOM || Math.abs(to) * ROOM || 1;
  return [from - room, to + room];
}

// `ends` of a log axis are powers of ten, as Plotly has them.
function axisOf({ ends, log, step, most }) {
  const [from, to] = ends;
  const at = (value) => ((log ? Math.log10(value) : value) - from) / (to - from);
  return { at, ticks: log ? logTicks(from, to, most) : linearTicks(from, to, most, step) };
}

function linearTicks(from, to, most, given) {
  const rough = (to - from) / most;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(given ?? 0, unit * STEPS.find((times) => times * unit >= rough * 0.999));
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const found = [];
  for (let n = Math.ceil(from / step - 1e-9); n * step <= to + 1e-9 * step; n += 1) found.push([n * step || 0, written(n * step || 0, digits)]); // never −0
  return found;
}

function logTicks(from, to, most) {
  const every = Math.max(1, Math.ceil((to - from) / most));
  const powers = [];
  for (let k = Math.ceil(from); k <= to; k += 1) if (k % every === 0) powers.push(10 ** k);
  const close = [];
  for (let k = Math.floor(from); k <= to; k += 1)
    for (const times of [1, 2, 5]) if (Math.log10(times) + k >= from && Math.log10(times) + k <= to) close.push(times * 10 ** k);
  return (powers.length > 1 ? powers : close).map((value) => [value, written(value, Math.max(0, -Math.floor(Math.log10(value) + 1e-9)))]);
}

const written = (value, digits) =>
  Math.abs(value) >= 1e6 || digits > 6 ? value.toExponential(0).replace("e+", "e") : value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
