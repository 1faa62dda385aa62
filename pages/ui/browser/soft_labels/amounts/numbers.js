// The numbers of answers that are numbers, and where a bound on the teacher would act. Legend: N rows; z scaled answers, y the scaled truth.
// The slider is the bound's margin m: the teacher is followed where (z_s - y)^2 + m > (z_t - y)^2, see distill.losses.bounded_mse.
const TENTHS = 10;

function prepared(data) {
  const truth = column(data.truth);
  const N = truth.length;
  const { centre, unit } = data;
  const y = truth.map((v) => (v - centre) / unit);
  const arms = Object.fromEntries(
    ARMS.map((arm) => {
      const z = Float64Array.from(column(data[arm]));
      const error = z.map((v, i) => v - y[i]); // scaled
      return [arm, { z, error, value: z.map((v) => v * unit + centre), off: error.map((v) => v * unit) }];
    }),
  );
  const order = Array.from(truth.keys()).sort((i, j) => truth[i] - truth[j] || i - j);
  const tenth = new Int32Array(N);
  order.forEach((i, at) => { tenth[i] = Math.min(TENTHS - 1, Math.floor((at * TENTHS) / N)); });
  const far = Array.from(arms.teacher.off.keys(), (i) => Math.max(...ARMS.map((arm) => Math.abs(arms[arm].off[i])))).sort((a, b) => a - b);
  const reach = far[Math.min(N - 1, Math.floor(0.99 * N))] || 1; // of the histogram's ends and the drawn plane
  const model = { N, ids: column(data.ids), truth, y, arms, order, tenth, reach, unit, centre, followed: new Uint8Array(N), apart: new Float64Array(N) };
  const widest = arms.student.value.reduce((most, v, i) => Math.max(most, Math.abs(v - arms.teacher.value[i])), 0) || 1;
  for (let i = 0; i < N; i++) model.apart[i] = Math.abs(arms.student.value[i] - arms.teacher.value[i]) / widest;
  return Object.assign(model, { widest, fixed: once(model) });
}

function correlation(a, b) {
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += (a[i] - ma) * (b[i] - mb);
    aa += (a[i] - ma) ** 2;
    bb += (b[i] - mb) ** 2;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : NaN;
}

// What no margin changes.
function once({ arms, reach, tenth, N }) {
  const found = Object.fromEntries(
    ARMS.map((arm) => {
      const { off } = arms[arm];
      const byTenth = Array.from({ length: TENTHS }, () => ({ rows: 0, off: 0 }));
      off.forEach((v, i) => {
        byTenth[tenth[i]].rows += 1;
        byTenth[tenth[i]].off += Math.abs(v);
      });
      return [arm, {
        off: histogram(off, -reach, reach), meanOff: mean(off.map(Math.abs)), rmse: Math.sqrt(mean(off.map((v) => v * v))),
        fromTeacher: mean(off.map((v, i) => Math.abs(v - arms.teacher.off[i]))), byTenth: byTenth.map((one) => one.off / one.rows),
        alike: correlation(off, arms.teacher.off),
      }];
    }),
  );
  return { arms: found, rowsOf: Array.from({ length: TENTHS }, (_, k) => tenth.reduce((sum, at) => sum + (at === k ? 1 : 0), 0)), N };
}

function measured(model, margin) {
  const { N, arms, followed, tenth } = model;
  const { teacher, student } = arms;
  const byTenth = new Float64Array(TENTHS);
  let [rows, pull, kept, better] = [0, 0, 0, 0];
  for (let i = 0; i < N; i++) {
    const [own, theirs] = [student.error[i] ** 2, teacher.error[i] ** 2];
    followed[i] = own + margin > theirs ? 1 : 0;
    const force = (student.z[i] - teacher.z[i]) ** 2;
    pull += force;
    if (followed[i]) { kept += force; rows += 1; byTenth[tenth[i]] += 1; }
    if (own < theirs) better += 1;
  }
  return { temperature: margin, arms: model.fixed.arms, followed: rows / N, pull: pull > 0 ? kept / pull : 0, better: better / N, followedByTenth: Array.from(byTenth, (n, k) => n / (model.fixed.rowsOf[k] || 1)) };
}

// A number in the target's unit, with as many digits as its spread asks for.
function amount(model, value) {
  const digits = Math.max(0, Math.min(4, 2 - Math.floor(Math.log10(model.unit || 1))));
  const said_ = Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return value < 0 && Number(said_.replaceAll(",", "")) !== 0 ? `−${said_}` : said_;
}
const signed = (model, value) => (value > 0 ? `+${amount(model, value)}` : amount(model, value));
