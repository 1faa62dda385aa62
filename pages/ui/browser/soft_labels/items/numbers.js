// The numbers of answers that choose among a whole catalogue, kept in a short form: K likeliest items, their log-probabilities, and that of
// each other item. At T each weight is its T-th root, the others' together as many times as there are. Legend: N rows, K kept items.
const PLACES = [[1, 1], [2, 3], [4, 10], [11, 100], [101, Infinity]];
const TOP = 10;

function prepared(data) {
  const truth = column(data.labels);
  const N = truth.length;
  const K = data.kept_items;
  const total = data.catalogue;
  const arms = Object.fromEntries(ARMS.map((arm) => [arm, fixed(column(data[arm]), N, K, truth)]));
  const shared_ = Float64Array.from({ length: N }, (_, i) => overlap(arms.teacher, arms.student, i, K));
  const firstParted = Uint8Array.from({ length: N }, (_, i) => (arms.teacher.items[i * K] === arms.student.items[i * K] ? 0 : 1));
  const model = { N, K, total, truth, ids: column(data.ids), arms, shared: shared_, firstParted, apart: new Float64Array(N), known: truth.reduce((sum, v) => sum + (v >= 0 ? 1 : 0), 0) };
  for (const arm of ["student", "baseline"]) Object.assign(arms[arm], seated(arms.teacher, arms[arm], N, K));
  return Object.assign(model, { partedAll: firstParted.reduce((a, b) => a + b, 0), places: Object.fromEntries(ARMS.map((arm) => [arm, placed(arms[arm].place, truth)])) });
}

function fixed(kept, N, K, truth) {
  const width = 2 * K + 1;
  const [items, log, rest, place] = [new Int32Array(N * K), new Float64Array(N * K), new Float64Array(N), new Float64Array(N).fill(Infinity)];
  const at = Array.from({ length: N }, () => new Map());
  for (let i = 0; i < N; i++) {
    for (let k = 0; k < K; k++) {
      const item = kept[i * width + k];
      items[i * K + k] = item;
      log[i * K + k] = kept[i * width + K + k];
      at[i].set(item, k);
      if (item === truth[i]) place[i] = k + 1;
    }
    rest[i] = kept[i * width + 2 * K];
  }
  return { items, log, rest, place, at, p: new Float64Array(N * K), logP: new Float64Array(N * K), each: new Float64Array(N), logEach: new Float64Array(N), largest: new Float64Array(N), beyond: new Float64Array(N), entropy: new Float64Array(N) };
}

// Where the teacher's items stand in another list (-1: nowhere), and which items of that list the teacher's has not.
function seated(teacher, other, N, K) {
  const [seat, extra] = [new Int32Array(N * K), new Uint8Array(N * K)];
  for (let i = 0, k = 0; i < N; i++)
    for (let end = (i + 1) * K; k < end; k++) {
      const at = other.at[i].get(teacher.items[k]);
      seat[k] = at === undefined ? -1 : i * K + at;
      extra[k] = teacher.at[i].has(other.items[k]) ? 0 : 1;
    }
  return { seat, extra };
}

// How many of the teacher's first ten are among the student's first ten.
function overlap(teacher, student, i, K) {
  const most = Math.min(TOP, K);
  let same = 0;
  for (let k = 0; k < most; k++) {
    const at = student.at[i].get(teacher.items[i * K + k]);
    if (at !== undefined && at < most) same += 1;
  }
  return same / most;
}

// Rows by the place of the right item; the last: items that training never saw.
function placed(place, truth) {
  const counts = new Float64Array(PLACES.length + 1);
  truth.forEach((item, i) => { counts[item < 0 ? PLACES.length : placeOf(place[i])] += 1; });
  return counts;
}
const placeOf = (place) => PLACES.findIndex(([low, high]) => place >= low && place <= high);

function soften(one, { N, K, total }, temperature) {
  const { log, rest, p, logP, each, logEach, largest, beyond, entropy } = one;
  const others = Math.max(0, total - K);
  for (let i = 0; i < N; i++) {
    const start = i * K;
    const most = log[start];
    let [sum, weighted] = [0, 0];
    for (let k = start; k < start + K; k++) {
      const x = (log[k] - most) / temperature;
      const e = Math.exp(x);
      p[k] = e;
      logP[k] = x;
      sum += e;
      weighted += e * x;
    }
    const x = (rest[i] - most) / temperature;
    const e = Math.exp(x);
    sum += e * others;
    weighted += e * x * others;
    const logSum = Math.log(sum);
    for (let k = start; k < start + K; k++) {
      p[k] /= sum;
      logP[k] -= logSum;
    }
    each[i] = e / sum;
    logEach[i] = x - logSum;
    largest[i] = p[start];
    let first = 0;
    for (let k = start; k < start + Math.min(TOP, K); k++) first += p[k];
    beyond[i] = Math.max(0, 1 - first);
    entropy[i] = logSum - weighted / sum;
  }
}

const shareOfItem = (one, K, row, item) => {
  const at = one.at[row].get(item);
  return at === undefined ? one.each[row] : one.p[row * K + at];
};

// Half the sum of differences of all items between teacher and student, and the KL of both arms to the teacher.
function distances(model) {
  const { N, K, total, arms, apart } = model;
  const { teacher } = arms;
  const kl = { student: 0, baseline: 0 };
  for (const arm of ["student", "baseline"]) {
    const other = arms[arm];
    for (let i = 0; i < N; i++) {
      let [far, nats, union] = [0, 0, K];
      const [each, logEach] = [teacher.each[i], teacher.logEach[i]];
      for (let k = i * K; k < (i + 1) * K; k++) {
        const at = other.seat[k];
        far += Math.abs(teacher.p[k] - (at < 0 ? other.each[i] : other.p[at]));
        nats += teacher.p[k] * (teacher.logP[k] - (at < 0 ? other.logEach[i] : other.logP[at]));
        if (!other.extra[k]) continue;
        far += Math.abs(each - other.p[k]);
        nats += each * (logEach - other.logP[k]);
        union += 1;
      }
      const left = Math.max(0, total - union);
      far += left * Math.abs(each - other.each[i]);
      nats += left * each * (logEach - other.logEach[i]);
      if (arm === "student") apart[i] = far / 2;
      kl[arm] += nats / N;
    }
  }
  return kl;
}

function measured(model, temperature) {
  const { arms } = model;
  const found = { temperature, arms: {} };
  for (const arm of ARMS) {
    const one = arms[arm];
    soften(one, model, temperature);
    found.arms[arm] = {
      largestMean: mean(one.largest), beyondMean: mean(one.beyond), effective: Math.exp(mean(one.entropy)),
      largest: histogram(one.largest, 0, 1), beyond: histogram(one.beyond, 0, 1), hit: model.places[arm].slice(0, 3).reduce((a, b) => a + b, 0) / model.N,
    };
  }
  found.kl = distances(model);
  found.shared = mean(model.shared);
  return found;
}
