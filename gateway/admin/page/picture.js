// Drawings: where qualities lie beside the promise, and how they went. All is drawn in per cent of
// the width, so that it fits any screen without being drawn again.

const SVG = "http://www.w3.org/2000/svg";
const STEPS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2];
const LEAST = 0.04;

function element(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// A scale from round number to round number round these ratios, zoomed as far as they allow.
export function scale(values) {
  const known = values.filter((value) => value !== null && value !== undefined);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const room = Math.max(LEAST, 1.15 * (high - low));
  const step = STEPS.find((size) => room / size <= 6) ?? 0.25;
  const spare = (room - (high - low)) / 2;
  const lo = Math.max(0, Math.floor((low - spare) / step + 1e-9) * step);
  const hi = Math.min(1, Math.ceil((high + spare) / step - 1e-9) * step);
  const ticks = [];
  for (let tick = lo; tick < hi + step / 2; tick += step) ticks.push(Math.min(tick, hi));
  const at = (value) => (100 * Math.min(1, Math.max(0, (value - lo) / (hi - lo))));
  return { lo, hi, ticks, at, digits: step < 0.01 ? 1 : 0 };
}

const x = (axis, value) => `${axis.at(value).toFixed(3)}%`;

// A label stays inside: near an edge it ends or begins there.
const anchor = (at) => (at < 20 ? "start" : at > 80 ? "end" : "middle");

export function top(svg, axis, promise, text) {
  const at = axis.at(promise);
  const label = { x: `${at}%`, y: 12, class: "promised", "text-anchor": anchor(at) };
  svg.replaceChildren(
    element("text", label, text),
    element("line", { class: "promise", x1: `${at}%`, x2: `${at}%`, y1: 17, y2: "100%" }),
  );
}

export function bottom(svg, axis) {
  const every = axis.ticks.length > 6 ? 2 : 1;
  const labels = axis.ticks.filter((_, index) => index % every === 0);
  svg.replaceChildren(
    element("line", { class: "axis", x2: "100%", y1: 0.5, y2: 0.5 }),
    ...labels.map((tick) => {
      const at = axis.at(tick);
      const side = at < 3 ? "start" : at > 97 ? "end" : "middle";
      const place = { x: `${at}%`, y: 15, "text-anchor": side };
      return element("text", place, (100 * tick).toFixed(axis.digits));
    }),
  );
}

// One row of the picture. height: in pixels. mean, tail: null where there is none. interval: of the
// mean since the start; where it goes on beyond the scale, an arrow says so.
export function lane(svg, axis, { promise, height, mean, tail, interval, hollow }) {
  const middle = height / 2;
  const drawn = [element("rect", { class: "short", width: x(axis, promise), height: "100%" })];
  for (const tick of axis.ticks)
    drawn.push(element("line", { class: "grid", x1: x(axis, tick), x2: x(axis, tick), y2: "100%" }));
  if (interval) {
    const [from, to] = interval.map((end) => axis.at(end));
    const box = { class: "interval", x: `${from}%`, width: `${to - from}%`, y: middle - 4, height: 8 };
    drawn.push(element("rect", box));
    const beyond = (at, d) => drawn.push(mark(at, middle, d, "beyond"));
    if (interval[0] < axis.lo - 1e-9) beyond("0%", "M7-5 1 0l6 5");
    if (interval[1] > axis.hi + 1e-9) beyond("100%", "M-7-5-1 0l-6 5");
  }
  drawn.push(element("line", { class: "promise", x1: x(axis, promise), x2: x(axis, promise), y2: "100%" }));
  const look = hollow ? " hollow" : "";
  if (tail !== null) drawn.push(mark(x(axis, tail), middle, "M-5 5 0-4 5 5z", `tail${look}`));
  if (mean !== null)
    drawn.push(element("circle", { class: `dot${look}`, cx: x(axis, mean), cy: middle, r: hollow ? 4.5 : 5.5 }));
  svg.setAttribute("height", height);
  svg.replaceChildren(...drawn);
}

function mark(at, y, d, kind) {
  const place = element("svg", { x: at, y, overflow: "visible" });
  place.append(element("path", { d, class: kind }));
  return place;
}

// Quality of the window by time, oldest first, with the promise as a line. Gaps: nothing judged.
export function history(svg, values, promise, { from, height }) {
  const axis = scale([promise, ...values]);
  const y = (value) => ((100 - axis.at(value)) * (height - 26)) / 100 + 6;
  const step = 1000 / Math.max(1, values.length - 1);
  const plot = element("svg", { viewBox: `0 0 1000 ${height}`, preserveAspectRatio: "none", width: "100%", height });
  const level = y(promise);
  const line = (kind, at) => element("line", { class: kind, x2: "100%", y1: at, y2: at });
  plot.append(element("path", { class: "went", d: path(values, step, y) }));
  const label = (text, at, baseline, side) =>
    element("text", { x: at, y: baseline, "text-anchor": side }, text);
  const beside = (value) => label(shown(value), -5, y(value) + 4, "end");
  const shown = (value) => (100 * value).toFixed(axis.digits);
  svg.setAttribute("height", height);
  svg.replaceChildren(
    element("rect", { class: "short", width: "100%", y: level, height: Math.max(0, y(axis.lo) - level) }),
    line("grid", y(axis.hi)),
    line("axis", y(axis.lo)),
    line("promise thin", level),
    plot,
    beside(axis.hi),
    beside(axis.lo),
    label(from, 0, height - 3, "start"),
    label("now", "100%", height - 3, "end"),
  );
}

// Lines between neighbours; what has none is a dot (a line of no length, with round caps).
function path(values, step, y) {
  const parts = [];
  values.forEach((value, index) => {
    if (value === null) return;
    const at = `${(index * step).toFixed(1)} ${y(value).toFixed(1)}`;
    const first = index === 0 || values[index - 1] === null;
    parts.push(first ? `M${at}L${at}` : `L${at}`);
  });
  return parts.join("");
}

export function share(svg, ratio) {
  const width = `${100 * (ratio ?? 0)}%`;
  svg.replaceChildren(
    element("rect", { class: "all", width: "100%", height: "100%" }),
    element("rect", { class: "part", width, height: "100%" }),
  );
}
