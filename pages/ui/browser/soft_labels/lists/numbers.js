// The numbers of rows that are ranked within a query, at one temperature: scores become shares of the query's list, as the loss
// `listwise_kd` has them. Legend: N queries, their documents one after another; `start[q]` to `start[q + 1]` are those of query q.
function prepared(data) {
  const start = column(data.starts);
  const N = start.length - 1;
  const grades = column(data.grades);
  const sizes = Float64Array.from({ length: N }, (_, q) => start[q + 1] - start[q]);
  const steps = Array.from(new Set(grades)).sort((a, b) => a - b);
  const arms = Object.fromEntries(ARMS.map((arm) => [arm, fixed(column(data[arm]), start, N, column(data[`ndcg_${arm}`]))]));
  const label = shared(grades, start, N, 1, new Float64Array(grades.length));
  return { N, ids: data.queries, start, sizes, grades, steps, arms, label, labelByGrade: gradeShares(label, steps, grades, N), numbers: column(data.rows), apart: new Float64Array(N), documents: data.documents, ...parting(arms, start, N) };
}

// Mean share of a list that rows of each grade have together.
const gradeShares = (p, steps, grades, N) => steps.map((grade) => grades.reduce((sum, g, i) => sum + (g === grade ? p[i] : 0), 0) / N);

function shared(z, start, N, temperature, p) {
  for (let q = 0; q < N; q++) {
    let [most, total] = [-Infinity, 0];
    for (let i = start[q]; i < start[q + 1]; i++) most = Math.max(most, z[i]);
    for (let i = start[q]; i < start[q + 1]; i++) total += p[i] = Math.exp((z[i] - most) / temperature);
    for (let i = start[q]; i < start[q + 1]; i++) p[i] /= total;
  }
  return p;
}

// Ranks within a query, best first; equal scores share one.
function fixed(z, start, N, ndcg) {
  const [rank, top] = [new Int32Array(z.length), new Int32Array(N)];
  for (let q = 0; q < N; q++) {
    const order = Array.from({ length: start[q + 1] - start[q] }, (_, k) => start[q] + k).sort((a, b) => z[b] - z[a] || a - b);
    [top[q]] = order;
    order.forEach((i, at) => { rank[i] = at && z[i] === z[order[at - 1]] ? rank[order[at - 1]] : at + 1; });
  }
  return { z, ndcg, rank, top, p: new Float64Array(z.length), largest: new Float64Array(N), entropy: new Float64Array(N) };
}

// Of the pairs of a query's documents that teacher and student both tell apart: the share that they order alike.
function parting({ teacher, student, baseline }, start, N) {
  const alike = (other) => Float64Array.from({ length: N }, (_, q) => {
    let [same, all] = [0, 0];
    for (let i = start[q]; i < start[q + 1]; i++)
      for (let j = start[q]; j < i; j++) {
        const way = (teacher.z[i] - teacher.z[j]) * (other.z[i] - other.z[j]);
        if (way !== 0) all += 1;
        if (way > 0) same += 1;
      }
    return all ? same / all : NaN;
  });
  const firstParted = Uint8Array.from({ length: N }, (_, q) => (teacher.top[q] === student.top[q] ? 0 : 1));
  return { alike: { student: alike(student), baseline: alike(baseline) }, firstParted, partedAll: firstParted.reduce((a, b) => a + b, 0) };
}

const meanKnown = (values) => mean(Array.from(values).filter((v) => v === v));

// Mean over queries of the KL to the teacher's shares.
function divergence({ N, start, arms }, arm) {
  const [p, q] = [arms.teacher.p, arms[arm].p];
  let sum = 0;
  for (let i = 0; i < start[N]; i++) if (p[i] > 0) sum += p[i] * Math.log(p[i] / Math.max(q[i], 1e-300));
  return sum / N;
}

function measured(model, temperature) {
  const { N, start, sizes, arms, apart, grades, steps } = model;
  const found = { temperature, arms: {} };
  const byGrade = (p) => gradeShares(p, steps, grades, N);
  for (const arm of ARMS) {
    const one = arms[arm];
    shared(one.z, start, N, temperature, one.p);
    for (let q = 0; q < N; q++) {
      let [largest, nats] = [0, 0];
      for (let i = start[q]; i < start[q + 1]; i++) {
        const p = one.p[i];
        largest = Math.max(largest, p);
        if (p > 0) nats -= p * Math.log(p);
      }
      one.largest[q] = largest;
      one.entropy[q] = sizes[q] > 1 ? nats / Math.log(sizes[q]) : 0; // of what an even list would have
    }
    const known = Array.from(one.ndcg).filter((v) => v === v);
    found.arms[arm] = {
      largestMean: mean(one.largest), evenMean: mean(one.entropy), largest: histogram(one.largest, 0, 1), ndcg: known.length ? histogram(known, 0, 1) : new Float64Array(BINS),
      ndcgMean: known.length ? mean(known) : NaN, byGrade: byGrade(one.p),
    };
  }
  for (let q = 0; q < N; q++) {
    let far = 0;
    for (let i = start[q]; i < start[q + 1]; i++) far += Math.abs(arms.teacher.p[i] - arms.student.p[i]);
    apart[q] = far / 2;
  }
  found.kl = { student: divergence(model, "student"), baseline: divergence(model, "baseline") };
  found.alike = { student: meanKnown(model.alike.student), baseline: meanKnown(model.alike.baseline) };
  return found;
}
