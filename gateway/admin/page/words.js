// Numbers and sentences. A ratio is in [0, 1]; null: not known.

export const NONE = "–";
const counts = new Intl.NumberFormat("en");

export const percent = (ratio, digits = 2) =>
  ratio === null ? NONE : `${(100 * ratio).toFixed(digits)} %`;

export const count = (number) => (number === null ? NONE : counts.format(Math.round(number)));

export const points = (difference) => {
  const text = (100 * difference).toFixed(2);
  return `${Number(text) < 0 ? "−" : "+"}${text.replace("-", "")} points`;
};

export const fixed = (number, digits = 2) => (number === null ? NONE : number.toFixed(digits));

export const evidence = (value) => {
  if (value === undefined) return NONE;
  return value.toFixed(value < 10 ? 2 : 0);
};

export const several = (number, what) => `${count(number)} ${what}${number === 1 ? "" : "s"}`;

export function span(seconds) {
  for (const [unit, length] of [["day", 86400], ["hour", 3600], ["minute", 60]])
    if (seconds >= 2 * length || seconds === length) return several(seconds / length, unit);
  return several(seconds, "second");
}

export const duration = (seconds) =>
  seconds < 10 ? `${Number((1000 * seconds).toPrecision(3))} ms` : `${Number(seconds.toPrecision(3))} s`;

const listed = (names) =>
  names.length <= 3 ? names.join(", ") : `${names.slice(0, 2).join(", ")} and ${names.length - 2} more`;

// The same sentences as of `tailq-gateway top` (gateway/top/words.py).
export function headline(view) {
  const named = (verdict) => view.tiers.filter((tier) => tier.verdict === verdict).map((tier) => tier.name);
  const [broken, below, kept, idle] = ["broken", "below", "kept", "idle"].map(named);
  const are = (names) => (names.length === 1 ? "is" : "are");
  if (broken.length)
    return `${broken.length} of ${several(view.tiers.length, "promise")} ${are(broken)} broken: ${listed(broken)}.`;
  if (below.length) return `Less than promised in the last ${span(view.window_s)}: ${listed(below)}.`;
  if (!kept.length) return `Nothing was held to a promise in the last ${span(view.window_s)}.`;
  return idle.length ? `Every promise is kept; idle: ${listed(idle)}.` : "Every promise is kept.";
}

export const VERDICTS = {
  kept: ["✓", "kept"],
  below: ["▽", "below"],
  broken: ["✕", "broken"],
  idle: ["○", "idle"],
};

// By whom, if it is not (also) what is expected.
export const toldBy = (tier) =>
  tier.told_by.length === 0 || tier.told_by.includes("expected")
    ? "" : `, by ${tier.told_by.map((source) => SOURCES[source]).join(" and ")}`;

export const SOURCES = { expected: "expected", feedback: "feedback", probe: "probes" };

// Ends that are not as promised, worst first; the others are on time.
const ENDS = ["failed", "shed", "late", "best_effort", "rescued", "invalid", "cancelled"];

export const total = (byOutcome) => Object.values(byOutcome).reduce((sum, number) => sum + number, 0);

export function outcomes({ by_outcome: by, on_time: onTime }) {
  if (total(by) === 0) return "no requests";
  const ends = ENDS.filter((name) => by[name]).map((name) => `${count(by[name])} ${name.replace("_", " ")}`);
  const all = `of ${several(total(by), "request")}`;
  return [onTime === null ? all : `${percent(onTime)} in time ${all}`, ...ends].join(", ");
}

export function correction(tier, found) {
  const side = found.error < 0 ? "−" : "+";
  const error = Math.abs(100 * found.error).toFixed(1);
  const source = found.source === "probe" ? "probes say" : `${found.source} says`;
  return `${source} it is off by ${side}${error} points for ${tier} (${several(found.judged, "label")})`;
}
