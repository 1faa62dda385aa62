// What the numbers of several kinds of answers share.
const ARMS = ["teacher", "baseline", "student"];
const LEGEND = ["teacher", "student", "baseline"]; // as every legend has them
const BINS = 24;
const LEVELS = 15;
const NOTHING = -40; // e^-40 adds nothing that a double could hold beside 1

// e^x of 0 and below, several times as fast as Math.exp: the power at the step above in a table, times the series of what is left (exact to 1e-11).
const FINE = 64; // steps to 1
const POWERS = Float64Array.from({ length: 1 - NOTHING * FINE }, (_, n) => Math.exp(-n / FINE));
function power(x) {
  if (!(x > NOTHING)) return 0;
  const n = (x * -FINE) | 0;
  const r = x + n / FINE;
  return POWERS[n] * (1 + r * (1 + r * (1 / 2 + r * (1 / 6 + r / 24))));
}

const column = (table) => table.getChildAt(0).toArray();
const mean = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;
const edge = (at, low, high) => (at === BINS ? high : low + ((high - low) * at) / BINS);

function binOf(value, low, high) {
  const held = Math.min(high, Math.max(low, value));
  let at = Math.min(BINS - 1, Math.floor(((held - low) / (high - low)) * BINS));
  if (held < edge(at, low, high)) at -= 1;
  else if (at < BINS - 1 && held >= edge(at + 1, low, high)) at += 1;
  return at;
}

function histogram(values, low, high) {
  const counts = new Float64Array(BINS);
  for (const value of values) counts[binOf(value, low, high)] += 1 / values.length;
  return counts;
}

// Bins of shares, with what came true of each.
function calibrated(shares, isRight) {
  const found = Array.from({ length: LEVELS }, () => ({ count: 0, confidence: 0, accuracy: 0 }));
  shares.forEach((share, i) => {
    const bin = found[Math.min(LEVELS - 1, Math.max(0, Math.ceil(share * LEVELS) - 1))];
    bin.count += 1;
    bin.confidence += share;
    bin.accuracy += isRight(i) ? 1 : 0;
  });
  const bins = found
    .filter((bin) => bin.count)
    .map(({ count, confidence, accuracy }) => ({ count, confidence: confidence / count, accuracy: accuracy / count }));
  const gap = bins.reduce((sum, b) => sum + b.count * Math.abs(b.accuracy - b.confidence), 0) / shares.length;
  return { bins, error: gap };
}

const above = (lift) => (lift < 0 ? 0 : lift); // less than base rate is no likeness, however far

// Log of one mean over another, neither below the floor.
const logOver = (sum, rows, all, others, least) => Math.log(Math.max(sum / rows, least) / Math.max(all / others, least));

// How much of the way from the baseline's likenesses to the teacher's the student went, see class_map.inherited.
function inheritance({ teacher, baseline, student }) {
  let [size, went] = [0, 0];
  for (let k = 0; k < teacher.lift.length; k++) {
    const before = above(baseline.lift[k]);
    const way = above(teacher.lift[k]) - before;
    const taken = above(student.lift[k]) - before;
    if (!Number.isFinite(way) || !Number.isFinite(taken)) continue;
    size += way * way;
    went += way * taken;
  }
  return size > 1e-12 ? went / size : null;
}

// The same with each tenth of the rows left out in turn: how far it may lie off by which rows there are (95 %), see
// class_map.inherited_between. `without`: an arm's lifts without the rows of a tenth. Null where that costs too much or says nothing.
const GROUPS = 10;
const T_OF_GROUPS = 2.2621571627; // 97.5 % of Student's t with 9 degrees of freedom
const MOST_WORK = 3e6; // additions: a few milliseconds

function inheritedBetween({ arms, leftOutWork }, share, without) {
  if (share === null || leftOutWork > MOST_WORK) return null;
  const found = [];
  for (let g = 0; g < GROUPS; g++) {
    const some = inheritance(Object.fromEntries(ARMS.map((arm) => [arm, { lift: without(arms[arm], g) }])));
    if (some === null) return null;
    found.push(some);
  }
  const middle = mean(found);
  const half = T_OF_GROUPS * Math.sqrt(((GROUPS - 1) / GROUPS) * found.reduce((sum, v) => sum + (v - middle) ** 2, 0));
  return [share - half, share + half];
}

// Places of the largest, without those that are left out.
function largestCells(values, most, left) {
  const found = [];
  for (let k = 0; k < values.length; k++) {
    const value = values[k];
    if (left[k] || !Number.isFinite(value) || (found.length === most && value <= values[found[most - 1]])) continue;
    let at = found.length;
    while (at > 0 && values[found[at - 1]] < value) at -= 1;
    found.splice(at, 0, k);
    if (found.length > most) found.pop();
  }
  return found;
}

// A square of numbers as lines, for a file: what is no number is null.
const square = (values, size) => Array.from({ length: size }, (_, a) => Array.from(values.subarray(a * size, (a + 1) * size), (v) => (Number.isFinite(v) ? v : null)));
