// How numbers went since the start of the run, as stream/page/traces.py keeps it: three spans of buckets, each with mean,
// lowest and highest value, so that memory stays the same however long a run lasts and a spike is never thinned away.

const SPANS = { recent: [0.5, 120], middle: [3, 1800], whole: [3, Infinity] }; // width of a bucket, length: seconds
const MOST = 1200; // buckets of the whole run; with one more, two become one

/** Seconds on the clock of this page, which may begin later than the run. */
export const seconds = () => performance.now() / 1000;

class Span {
  constructor([step, length]) {
    [this.step, this.length, this.buckets] = [step, length, []];
  }

  load({ step_s, age_s, count, fields }, now) {
    this.step = step_s;
    this.buckets = age_s.map((age, i) => {
      const values = Object.entries(fields).map(([name, { mean, low, high }]) => [name, [mean[i], low[i], high[i]]]);
      return { at: now - age, count: count[i], values: Object.fromEntries(values) };
    });
  }

  add(at, sample) {
    const values = Object.fromEntries(Object.entries(sample).map(([name, value]) => [name, [value, value, value]]));
    this.append({ at, count: 1, values });
    if (this.length < Infinity) while (at - this.buckets[0].at > this.length) this.buckets.shift();
    else if (this.buckets.length > MOST) this.widen();
  }

  append(bucket) {
    const last = this.buckets.at(-1);
    if (last && bucket.at - last.at < this.step) join(last, bucket);
    else this.buckets.push(bucket);
  }

  widen() {
    const old = this.buckets;
    [this.buckets, this.step] = [[], 2 * this.step];
    for (const bucket of old) this.append(bucket);
  }
}

function join(into, bucket) {
  const share = bucket.count / (into.count + bucket.count);
  for (const [name, [mean, low, high]] of Object.entries(bucket.values)) {
    const before = into.values[name];
    if (mean === null) continue;
    if (!before || before[0] === null) into.values[name] = [mean, low, high];
    else into.values[name] = [before[0] + (mean - before[0]) * share, Math.min(before[1], low), Math.max(before[2], high)];
  }
  into.count += bucket.count;
}

export class Traces {
  constructor() {
    this.clear();
  }

  clear() {
    [this.topics, this.newest] = [{}, -Infinity];
  }

  spans(topic) {
    this.topics[topic] ??= Object.fromEntries(Object.entries(SPANS).map(([name, span]) => [name, new Span(span)]));
    return this.topics[topic];
  }

  /** Take what was kept before this page was opened. */
  load(traces) {
    for (const [topic, spans] of Object.entries(traces)) {
      for (const [name, content] of Object.entries(spans)) this.spans(topic)[name].load(content, seconds());
      this.reach(this.spans(topic).recent.buckets.at(-1)?.at ?? -Infinity);
    }
  }

  /** Take a sample, field to number or null; `age`: how many seconds old it is. */
  add(topic, sample, age = 0) {
    for (const span of Object.values(this.spans(topic))) span.add(seconds() - age, sample);
    this.reach(seconds() - age);
  }

  /** Time goes on for all that is plotted, also for what has no value now. */
  reach(at) {
    this.newest = Math.max(this.newest, at);
  }

  /** When the first value of all came: where the whole run begins. */
  get first() {
    return Math.min(...Object.values(this.topics).map(({ whole }) => whole.buckets[0]?.at ?? Infinity));
  }

  /** The points of a field over a span: at (seconds), mean, low, high; what is not known is left out. */
  points(topic, span, field) {
    return this.spans(topic)[span].buckets.flatMap(({ at, values }) => {
      const value = values[field];
      return value && value[0] !== null ? [{ at, mean: value[0], low: value[1], high: value[2] }] : [];
    });
  }
}
