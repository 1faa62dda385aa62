// The numbers of labels that stand alone, each a yes or no of its own, at one temperature: T divides the log odds of every label, as the
// loss `bernoulli_kd` does. Legend: N rows, C labels; arrays of (row, label) lie row after row.
const FLOOR = 0.1; // of an even share, see class_map.floor

function prepared(data) {
  const has = column(data.labels);
  const C = data.classes.length;
  const N = has.length / C;
  const [count, together] = [new Float64Array(C), new Float64Array(C * C)]; // together: rows that have a and not b
  for (let i = 0; i < N; i++)
    for (let a = 0; a < C; a++) {
      if (!has[i * C + a]) continue;
      count[a] += 1;
      for (let b = 0; b < C; b++) if (!has[i * C + b]) together[a * C + b] += 1;
    }
  const arms = Object.fromEntries(ARMS.map((arm) => [arm, fixed(column(data[arm]), N, C)]));
  const share = (arm, k) => (together[k] ? arms[arm].sums[k] / together[k] : NaN);
  const rowsOf = (k) => together[k];
  return { N, C, has, rowsOf, judged: N * C, leftOutWork: GROUPS * ARMS.length * N * C * C, ids: column(data.ids), count, together, arms, share, apart: new Float64Array(N), ...agreement(arms, has, N, C) };
}

const fixed = (z, N, C) => ({
  z, p: new Float64Array(N * C), logYes: new Float64Array(N * C), expected: new Float64Array(N), entropy: new Float64Array(N),
  sums: new Float64Array(C * C), tops: new Float64Array(C * C), lift: new Float64Array(C * C), spared: new Float64Array(C * C),
});

// Yes from a probability of one half on, which no temperature moves: labels and rows on which student and teacher differ.
function agreement({ teacher, student }, has, N, C) {
  const [parted, rows] = [new Float64Array(C), new Uint8Array(N)];
  for (let i = 0; i < N; i++)
    for (let c = 0, k = i * C; c < C; c++, k++) {
      if (teacher.z[k] >= 0 === student.z[k] >= 0) continue;
      parted[c] += 1;
      rows[i] = 1;
    }
  return { parted, rowsParted: rows, partedAll: rows.reduce((a, b) => a + b, 0) };
}

function soften(one, { N, C }, temperature) {
  const { z, p, logYes, expected, entropy } = one;
  for (let i = 0; i < N; i++) {
    let [sum, nats] = [0, 0];
    for (let k = i * C; k < (i + 1) * C; k++) {
      const x = z[k] / temperature;
      const small = Math.exp(-Math.abs(x));
      const yes = x >= 0 ? 1 / (1 + small) : small / (1 + small);
      const log = Math.min(x, 0) - Math.log1p(small);
      p[k] = yes;
      logYes[k] = log;
      sum += yes;
      nats -= log - (1 - yes) * x; // yes log(yes) + (1 - yes) log(1 - yes), where log(1 - yes) = log(yes) - x
    }
    expected[i] = sum;
    entropy[i] = Math.max(0, nats);
  }
}

function added({ p, sums, tops }, { N, C, has }) {
  sums.fill(0);
  tops.fill(0);
  for (let i = 0; i < N; i++)
    for (let a = 0; a < C; a++) {
      if (!has[i * C + a]) continue;
      for (let b = 0; b < C; b++) {
        if (has[i * C + b]) continue;
        const [k, given] = [a * C + b, p[i * C + b]];
        sums[k] += given;
        if (given > tops[k]) tops[k] = given;
      }
    }
}

// What rows with a and without b get of b, over what all rows without b get of it; see class_map.label_lift.
function lifted(one, { N, C, has, together }) {
  const { p, sums, lift } = one;
  const least = FLOOR / C;
  for (let b = 0; b < C; b++) {
    let [all, without] = [0, 0];
    for (let i = 0; i < N; i++) {
      if (has[i * C + b]) continue;
      all += p[i * C + b];
      without += 1;
    }
    const base = without ? Math.log(Math.max(all / without, least)) : NaN;
    for (let a = 0; a < C; a++) {
      const k = a * C + b;
      lift[k] = a !== b && together[k] ? Math.log(Math.max(sums[k] / together[k], least)) - base : NaN;
    }
  }
}

// Each lift without the row that counts most in it, worked out for the map in sight alone; see class_map.label_lift_without_top.
function spared(one, { N, C, has, count, together }) {
  const least = FLOOR / C;
  for (let b = 0; b < C; b++) {
    let all = 0;
    for (let i = 0; i < N; i++) if (!has[i * C + b]) all += one.p[i * C + b];
    const others = N - count[b];
    for (let a = 0; a < C; a++) {
      const k = a * C + b;
      one.spared[k] = a !== b && together[k] > 1 && others > 1 ? logOver(one.sums[k] - one.tops[k], together[k] - 1, all - one.tops[k], others - 1, least) : NaN;
    }
  }
}

// An arm's lifts without every tenth row from the given one on.
function liftWithout({ p }, { N, C, has }, group) {
  const [sums, lift, together] = [new Float64Array(C * C), new Float64Array(C * C), new Float64Array(C * C)];
  const rows = Array.from({ length: N }, (_, i) => i).filter((i) => i % GROUPS !== group);
  const [own, some] = [new Float64Array(rows.length * C), new Uint8Array(rows.length * C)];
  rows.forEach((i, at) => {
    own.set(p.subarray(i * C, (i + 1) * C), at * C);
    for (let c = 0; c < C; c++) some[at * C + c] = has[i * C + c];
    for (let a = 0; a < C; a++)
      for (let b = 0; b < C; b++)
        if (has[i * C + a] && !has[i * C + b]) {
          sums[a * C + b] += p[i * C + b];
          together[a * C + b] += 1;
        }
  });
  lifted({ p: own, sums, lift }, { N: rows.length, C, has: some, together });
  return lift;
}

// Mean difference of a row's labels, and the KL of both arms to the teacher, added up over labels, mean over rows.
function distances({ N, C, arms, apart }, temperature) {
  const { teacher, baseline, student } = arms;
  const kl = { student: 0, baseline: 0 };
  const away = (k, other) => teacher.logYes[k] - other.logYes[k] - ((1 - teacher.p[k]) * (teacher.z[k] - other.z[k])) / temperature;
  for (let i = 0; i < N; i++) {
    let far = 0;
    for (let k = i * C; k < (i + 1) * C; k++) {
      far += Math.abs(teacher.p[k] - student.p[k]);
      kl.student += away(k, student);
      kl.baseline += away(k, baseline);
    }
    apart[i] = far / C;
  }
  return { student: kl.student / N, baseline: kl.baseline / N };
}

function measured(model, temperature) {
  const { C, N, has, arms } = model;
  const found = { temperature, arms: {} };
  for (const arm of ARMS) {
    const one = arms[arm];
    soften(one, model, temperature);
    const { bins, error } = calibrated(one.p, (k) => has[k] === 1);
    found.arms[arm] = {
      expectedMean: mean(one.expected), entropyMean: mean(one.entropy), expected: histogram(one.expected, 0, C),
      entropy: histogram(one.entropy, 0, C * Math.log(2)), calibration: bins, calibrationError: error,
      byLabel: Array.from({ length: C }, (_, c) => { let sum = 0; for (let i = 0; i < N; i++) sum += one.p[i * C + c]; return sum / N; }),
    };
  }
  found.kl = distances(model, temperature);
  return found;
}
