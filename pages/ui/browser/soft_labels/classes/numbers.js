// The numbers of classes of which one is right, at one temperature, as kd_core.evaluate computes them (soft_labels, class_map, calibration).
// Legend: N rows, C classes; arrays of (row, class) lie row after row.
const FLOOR = 0.1; // of an even share, see class_map.floor

function prepared(data) {
  const labels = column(data.labels);
  const [N, C] = [labels.length, data.classes.length];
  const count = new Float64Array(C);
  for (const label of labels) count[label] += 1;
  const arms = Object.fromEntries(ARMS.map((arm) => [arm, fixed(column(data[arm]), N, C)]));
  const share = (arm, k) => arms[arm].sums[k] / count[Math.floor(k / C)];
  const rowsOf = (k) => count[Math.floor(k / C)];
  return { N, C, labels, rowsOf, ids: column(data.ids), count, arms, share, leftOutWork: GROUPS * ARMS.length * N * C, apart: new Float64Array(N), ...agreement(arms, labels, count) };
}

// What the temperature does not change: each row's first class, and how far the others stand below it.
function fixed(z, N, C) {
  const [below, top] = [new Float64Array(N * C), new Int32Array(N)];
  for (let i = 0; i < N; i++) {
    const start = i * C;
    let first = 0;
    for (let c = 1; c < C; c++) if (z[start + c] > z[start + first]) first = c;
    const most = z[start + first];
    for (let c = 0; c < C; c++) below[start + c] = z[start + c] - most;
    top[i] = first;
  }
  const rows = () => new Float64Array(N);
  return {
    z, below, top, p: new Float64Array(N * C), largest: rows(), entropy: rows(), logSum: rows(),
    sums: new Float64Array(C * C), tops: new Float64Array(C * C), lift: new Float64Array(C * C), spared: new Float64Array(C * C),
  };
}

function agreement(arms, labels, count) {
  const { teacher, student } = arms;
  const parted = new Float64Array(count.length);
  let all = 0;
  labels.forEach((label, i) => {
    const apart = teacher.top[i] === student.top[i] ? 0 : 1;
    parted[label] += apart;
    all += apart;
  });
  return { parted, partedAll: all };
}

function soften(one, model, temperature) {
  const { below, p, largest, entropy, logSum } = one;
  const { N, C } = model;
  const scale = 1 / temperature;
  for (let i = 0; i < N; i++) {
    const [start, end] = [i * C, (i + 1) * C];
    let [total, weighted] = [0, 0];
    for (let k = start; k < end; k++) {
      const x = below[k] * scale;
      const e = power(x);
      p[k] = e;
      total += e;
      weighted += e * x;
    }
    const share = 1 / total;
    for (let k = start; k < end; k++) p[k] *= share;
    largest[i] = share;
    logSum[i] = Math.log(total);
    entropy[i] = logSum[i] - weighted * share;
  }
}

function added({ p, sums }, { N, C, labels }) {
  sums.fill(0);
  for (let i = 0; i < N; i++) for (let c = 0, start = i * C, line = labels[i] * C; c < C; c++) sums[line + c] += p[start + c];
}

function lifted(one, model) {
  const { C, N, count } = model;
  const { sums, lift } = one;
  const least = FLOOR / C;
  for (let b = 0; b < C; b++) {
    let all = 0;
    for (let a = 0; a < C; a++) all += sums[a * C + b];
    const others = N - count[b];
    const base = others > 0 ? Math.log(Math.max((all - sums[b * C + b]) / others, least)) : NaN;
    for (let a = 0; a < C; a++) {
      const known = a !== b && count[a] > 0;
      lift[a * C + b] = known ? Math.log(Math.max(sums[a * C + b] / count[a], least)) - base : NaN;
    }
  }
}

// Each lift without the row that counts most in it, worked out for the map in sight alone; see class_map.lift_without_top.
function spared(one, { C, N, count, labels }) {
  const least = FLOOR / C;
  const { p, tops } = one;
  tops.fill(0);
  for (let i = 0; i < N; i++)
    for (let c = 0, start = i * C, line = labels[i] * C; c < C; c++) if (p[start + c] > tops[line + c]) tops[line + c] = p[start + c];
  for (let b = 0; b < C; b++) {
    let all = -one.sums[b * C + b];
    for (let a = 0; a < C; a++) all += one.sums[a * C + b];
    const others = N - count[b];
    for (let a = 0; a < C; a++) {
      const k = a * C + b;
      one.spared[k] = a !== b && count[a] > 1 && others > 1 ? logOver(one.sums[k] - tops[k], count[a] - 1, all - tops[k], others - 1, least) : NaN;
    }
  }
}

// An arm's lifts without every tenth row from the given one on.
function liftWithout({ p }, { N, C, labels }, group) {
  const [sums, lift, count] = [new Float64Array(C * C), new Float64Array(C * C), new Float64Array(C)];
  let left = 0;
  for (let i = 0; i < N; i++) {
    if (i % GROUPS === group) continue;
    left += 1;
    count[labels[i]] += 1;
    const [start, line] = [i * C, labels[i] * C];
    for (let c = 0; c < C; c++) sums[line + c] += p[start + c];
  }
  lifted({ sums, lift }, { C, N: left, count });
  return lift;
}

// Half the sum of differences between teacher and student by row, and the mean KL of both arms to the teacher.
function distances(model, temperature) {
  const { N, C, arms, apart } = model;
  const { teacher, baseline, student } = arms;
  const kl = { student: 0, baseline: 0 };
  for (let i = 0; i < N; i++) {
    let [far, toStudent, toBaseline] = [0, 0, 0];
    for (let k = i * C; k < (i + 1) * C; k++) {
      const p = teacher.p[k];
      far += Math.abs(p - student.p[k]);
      toStudent += p * (teacher.below[k] - student.below[k]);
      toBaseline += p * (teacher.below[k] - baseline.below[k]);
    }
    apart[i] = far / 2;
    kl.student += toStudent / temperature - teacher.logSum[i] + student.logSum[i];
    kl.baseline += toBaseline / temperature - teacher.logSum[i] + baseline.logSum[i];
  }
  return { student: kl.student / N, baseline: kl.baseline / N };
}

// All numbers at one temperature. The arrays are those of the model and are written anew by the next call.
function measured(model, temperature) {
  const { C, labels, arms } = model;
  const found = { temperature, arms: {} };
  for (const arm of ARMS) {
    const one = arms[arm];
    soften(one, model, temperature);
    const { bins, error } = calibrated(one.largest, (i) => one.top[i] === labels[i]);
    found.arms[arm] = {
      largestMean: mean(one.largest),
      entropyMean: mean(one.entropy),
      effective: Math.exp(mean(one.entropy)),
      largest: histogram(one.largest, 1 / C, 1),
      entropy: histogram(one.entropy, 0, Math.log(C)),
      calibration: bins,
      calibrationError: error,
    };
  }
  found.kl = distances(model, temperature);
  return found;
}
