// Fetches /v1/live every two seconds while the page is seen, and shows it. The structure is
// index.html's: templates are filled by their data-is, always as text, never as HTML.

import * as picture from "./picture.js";
import * as words from "./words.js";

const EVERY_MS = 2000;
const PATIENCE_MS = 5000;
const { NONE, count, fixed, percent } = words;

const find = (selector, within = document) => within.querySelector(selector);

// Only what changed is written, so that a selection stays and screen readers hear of changes only.
function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function fill(node, texts) {
  for (const [name, text] of Object.entries(texts)) put(find(`[data-is="${name}"]`, node), text);
}

// The children of `parent` are made to be these, in order, from a template; known ones stay.
function children(parent, template, keys) {
  const before = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const made = keys.map((key) => {
    const child = before.get(key) ?? find(`#t-${template}`).content.firstElementChild.cloneNode(true);
    child.dataset.key = key;
    return child;
  });
  if (made.length !== parent.children.length || made.some((child, at) => child !== parent.children[at]))
    parent.replaceChildren(...made);
  return made;
}

function troubles(view) {
  const section = find("#troubles");
  section.hidden = view.troubles.length === 0;
  const keys = view.troubles.map((trouble) => `${trouble.severity} ${trouble.runbook} ${trouble.what}`);
  children(find("ul", section), "trouble", keys).forEach((node, at) => {
    const { severity, what, runbook } = view.troubles[at];
    node.dataset.severity = severity;
    fill(node, { severity, what, runbook: `${runbook}.md` });
  });
}

// What is drawn of a tier, by who says so: the profile, and each source that judged a request.
function lanes(tier) {
  const { since_start: start, window } = tier;
  const rows = [
    { key: "profile", source: "as profiled", mean: tier.profiled, tail: tier.profiled_tail_5, hollow: true, height: 24 },
  ];
  for (const [key, source] of Object.entries(words.SOURCES)) {
    const expected = key === "expected";
    if (!expected && !start.judged[key]) continue;
    rows.push({
      key,
      source,
      mean: window.delivered[key] ?? null,
      tail: expected ? window.tail_5 : null,
      interval: start.judged[key] ? tier.interval[key] : undefined,
      evidence: tier.evidence[key],
      judged: window.judged[key] ?? 0,
      height: expected ? 34 : 24,
    });
  }
  return rows;
}

function sources(node, tier) {
  const rows = lanes(tier);
  // A wide interval, as at the start, is cut, not the picture zoomed out for it.
  const told = [tier.promise, ...rows.flatMap((row) => [row.mean, row.tail])];
  const reach = 1.5 * Math.max(0.02, ...told.map((value) => (value === null ? 0 : Math.abs(value - tier.promise))));
  const near = (end) => Math.min(tier.promise + reach, Math.max(tier.promise - reach, end));
  const axis = picture.scale([...told, ...rows.flatMap((row) => (row.interval ?? []).map(near))]);
  picture.top(find('[data-is="top"]', node), axis, tier.promise, `promised ${percent(tier.promise)}`);
  picture.bottom(find('[data-is="axis"]', node), axis);
  children(find("tbody", node), "source", rows.map((row) => row.key)).forEach((line, at) => {
    const row = rows[at];
    picture.lane(find("svg", line), axis, { ...row, promise: tier.promise });
    fill(line, {
      source: row.source,
      mean: percent(row.mean),
      tail: percent(row.tail, 1),
      interval: row.interval ? row.interval.map((end) => (100 * end).toFixed(1)).join("–") : NONE,
      evidence: words.evidence(row.evidence),
      judged: row.judged === undefined ? NONE : count(row.judged),
    });
  });
}

function tiers(view) {
  children(find("#tiers"), "tier", view.tiers.map((tier) => tier.name)).forEach((node, at) => {
    const tier = view.tiers[at];
    const [sign, verdict] = words.VERDICTS[tier.verdict];
    const delivered = tier.window.delivered.expected ?? null;
    const promised = tier.window.promised ?? tier.promise;
    node.dataset.verdict = tier.verdict;
    node.setAttribute("aria-label", tier.name);
    fill(node, {
      name: tier.name,
      sign,
      verdict: verdict + words.toldBy(tier),
      delivered: percent(delivered),
      margin: delivered === null ? "" : words.points(delivered - promised),
      promise: percent(tier.promise),
      deadline: words.duration(tier.deadline_s),
      outcomes: words.outcomes(tier.window),
    });
    sources(find(".sources", node), tier);
    const judged = tier.history.filter((value) => value !== null);
    const least = judged.length ? ` Least: ${percent(Math.min(...judged), 1)}.` : "";
    const length = words.span(tier.history.length * view.step_s);
    put(find("figcaption", node), `Expected quality, means of ${words.span(view.point_s)}`);
    const plot = find('[data-is="history"]', node);
    plot.setAttribute("aria-label", `Expected quality of ${tier.name} by time, with the promise as a line.${least}`);
    picture.history(plot, tier.history, tier.promise, { from: `${length} ago`, height: 104 });
  });
}

function variants(view) {
  children(find("#variants"), "variant", view.variants.map((variant) => variant.name)).forEach((node, at) => {
    const variant = view.variants[at];
    const served = { true: "as profiled", false: "✕ not as profiled", null: "not known" }[variant.as_profiled];
    const wrong = variant.absent || variant.as_profiled === false;
    node.classList.toggle("wrong", wrong);
    picture.share(find("svg", node), variant.share);
    fill(node, {
      name: variant.name,
      share: percent(variant.share, 1),
      "in-flight": count(variant.in_flight),
      limit: count(variant.limit),
      correction: variant.correction === null ? NONE : `× ${fixed(variant.correction)}`,
      slower: percent(variant.slower, 1),
      "expected-slower": percent(variant.expected_slower, 1),
      drift: fixed(variant.drift),
      served: variant.absent ? "✕ cannot be asked" : served,
    });
  });
}

const NAMED = ["on_time", "rescued", "best_effort", "late", "shed", "failed"];

function spans(view) {
  const rows = view.tiers.flatMap((tier) => [
    [tier.name, `last ${words.span(view.window_s)}`, tier.window],
    [tier.name, "since the start", tier.since_start],
  ]);
  children(find("#spans"), "span", rows.map((row) => row.slice(0, 2).join(" "))).forEach((node, at) => {
    const [tier, span, told] = rows[at];
    const total = words.total(told.by_outcome);
    const by = Object.fromEntries(NAMED.map((name) => [name, told.by_outcome[name] ?? 0]));
    node.dataset.tier = tier;
    node.dataset.span = at % 2 ? "start" : "window";
    fill(node, {
      tier,
      span,
      requests: count(total),
      "on-time": percent(told.on_time),
      ...Object.fromEntries(NAMED.map((name) => [name, count(by[name])])),
      others: count(total - words.total(by)),
      judged: count(told.judged.expected ?? 0),
      promised: percent(told.promised),
      delivered: percent(told.delivered.expected ?? null),
      tail_5: percent(told.tail_5, 1),
      tail_1: percent(told.tail_1, 1),
    });
  });
}

function foot(view) {
  const ends = Object.entries(view.endpoints).map(([name, up]) => `${name} ${up ? "answers" : "✕ does not answer"}`);
  put(find("#endpoints"), `Triton: ${ends.join(", ") || "no endpoint"}.`);
  const off = view.tiers.flatMap((tier) => tier.corrections.map((found) => words.correction(tier.name, found)));
  const known = "The delivered quality is expected from confidences, without labels";
  put(find("#corrections"), off.length ? `${known}; ${off.join("; ")}.` : `${known}.`);
  const day = new Date(1000 * view.measured).toISOString().slice(0, 10);
  const age = words.span(Math.max(0, view.now - view.measured));
  put(find("#profile"), `Promises rest on profile ${view.profile}, measured ${day}, ${age} ago.`);
}

function show(view) {
  const headline = words.headline(view);
  put(find("#headline"), headline);
  document.title = `${headline} ${view.service}`;
  const verdicts = view.tiers.map((tier) => tier.verdict);
  find("header").dataset.verdict = ["broken", "below", "kept"].find((one) => verdicts.includes(one)) ?? "idle";
  const named = { service: view.service, metric: view.metric, window: words.span(view.window_s) };
  fill(document, { ...named, confidence: percent(view.confidence, 0) });
  troubles(view);
  tiers(view);
  variants(view);
  spans(view);
  foot(view);
  find("main").hidden = false;
}

// last: when the gateway answered, by this machine's clock. asked: the timer of the next question.
let last = null;
let asked;

function age() {
  if (last === null) return;
  const seconds = (performance.now() - last.at) / 1000;
  const clock = last.clock.toLocaleTimeString("en-GB");
  put(find('[data-is="age"]'), `Figures of ${clock}, ${words.several(seconds, "second")} old`);
}

function silent(why) {
  const notice = find("#silence");
  notice.hidden = why === null;
  document.body.classList.toggle("stale", why !== null);
  if (why === null) return;
  const old = last === null ? "" : ` What is below is of ${last.clock.toLocaleTimeString("en-GB")}.`;
  put(notice, `✕ The gateway does not answer: ${why}.${old}`);
  document.title = "✕ No answer from the gateway";
}

async function fetched() {
  const patience = { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) };
  const answer = await fetch("v1/live", patience).catch((error) => {
    const late = error.name === "TimeoutError";
    throw new Error(late ? `nothing within ${PATIENCE_MS / 1000} seconds` : "no connection");
  });
  if (!answer.ok) throw new Error(`it says ${answer.status} ${answer.statusText}`);
  return answer.json();
}

async function ask() {
  clearTimeout(asked);
  let why = null;
  try {
    const view = await fetched();
    last = { at: performance.now(), clock: new Date(1000 * view.now) };
    show(view);
  } catch (error) {
    why = error.message;
  }
  silent(why);
  age();
  clearTimeout(asked);
  if (!document.hidden) asked = setTimeout(ask, EVERY_MS);
}

document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(asked) : ask()));
setInterval(age, 1000);
ask();
