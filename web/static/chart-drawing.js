// Draws figures into an SVG of a given size, and answers where each step lies. Colours are classes of the stylesheet.

import { curveMonotoneX, line, nice, stack, ticks } from "./drawing.js";

const ABOVE = 12;
const BELOW = 26;
const BESIDE = 10;
const LETTER = 7.2; // the width of a letter of an axis, near enough to keep labels apart

export function draw(svg, chart, width) {
  const height = Number(svg.getAttribute("height"));
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("preserveAspectRatio", "xMinYMin meet");
  svg.replaceChildren();
  return chart.kind === "bars" ? lyingBars(svg, chart, width) : overTime(svg, chart, width, height);
}

function overTime(svg, chart, width, height) {
  const shown = chart.lines.filter((each) => each.isShown);
  const steps = chart.steps.length;
  const isStacked = chart.kind === "stacked";
  const layers = isStacked ? stack().keys(shown.keys()).value((step, key) => shown[key].values[step] ?? 0)(chart.steps.keys()) : [];
  const most = isStacked ? Math.max(0, ...layers.flatMap((layer) => layer.map((part) => part[1]))) : Math.max(0, ...shown.flatMap((each) => each.values.map((value) => value ?? 0)));
  const marks = axisMarks(most, chart.unit);
  const top = marks.at(-1);
  const left = Math.max(...marks.map((mark) => chart.say(mark).length)) * LETTER + 11;
  const right = width - BESIDE;
  const floor = height - BELOW;
  const y = (value) => floor - ((floor - ABOVE) * value) / top;
  const band = (right - left) / steps;
  const middle = (step) => left + band * (step + 0.5);

  for (const mark of marks) {
    add(svg, "line", { class: mark ? "grid" : "floor", x1: left, x2: right, y1: Math.round(y(mark)), y2: Math.round(y(mark)) });
    add(svg, "text", { x: left - 8, y: y(mark) + 4, "text-anchor": "end" }, chart.say(mark));
  }
  stepLabels(svg, chart.steps, middle, band, width, height);
  const at = add(svg, "rect", { class: "at", y: ABOVE - 4, height: floor - ABOVE + 4, width: Math.max(band, 2), visibility: "hidden" });
  const dots = [];
  if (isStacked) {
    const wide = band < 4 ? band : Math.min(band * 0.76, 48);
    layers.forEach((layer, place) => {
      const paths = { true: "", false: "" };
      layer.forEach(([low, high], step) => {
        if (high > low) paths[chart.steps[step].isOpen] += `M${middle(step) - wide / 2} ${y(low)}V${y(high)}h${wide}V${y(low)}z`;
      });
      const looks = `layer ${shown[place].look}${wide > 5 ? " is-apart" : ""}`;
      if (paths.false) add(svg, "path", { class: looks, d: paths.false });
      if (paths.true) add(svg, "path", { class: `${looks} is-so-far`, d: paths.true });
    });
  } else {
    // The step that is not over yet hangs on by dots: it will grow.
    const over = chart.steps.findIndex((step) => step.isOpen);
    for (const each of shown) {
      const points = each.values.map((value, step) => ({ value, step }));
      const curve = line().defined((point) => point.value !== null).x((point) => middle(point.step)).y((point) => y(point.value)).curve(curveMonotoneX);
      const isWhole = over < 0 || each.look === "chart-before";
      add(svg, "path", { class: `curve ${each.look}`, d: curve(isWhole ? points : points.slice(0, over)) ?? "" });
      if (!isWhole) add(svg, "path", { class: `curve ${each.look} is-so-far`, d: curve(points.slice(Math.max(0, over - 1))) ?? "" });
      const dot = add(svg, "circle", { class: `dot ${each.look}`, r: 5, visibility: "hidden" });
      dots.push({ dot, each });
    }
  }
  return {
    left: middle,
    stepAt: (x) => Math.min(steps - 1, Math.max(0, Math.floor((x - left) / band))),
    point(step) {
      at.setAttribute("visibility", step === null ? "hidden" : "visible");
      if (step !== null) at.setAttribute("x", middle(step) - Math.max(band, 2) / 2);
      for (const { dot, each } of dots) {
        const value = step === null ? null : each.values[step];
        dot.setAttribute("visibility", value === null ? "hidden" : "visible");
        if (value === null) continue;
        dot.setAttribute("cx", middle(step));
        dot.setAttribute("cy", y(value));
      }
    },
  };
}

function lyingBars(svg, chart, width) {
  const shown = chart.lines.filter((each) => each.isShown);
  const tall = chart.lines.length > 1 ? 44 : 34;
  const names = Math.min(width * 0.36, 220, Math.max(...chart.steps.map((step) => step.label.length)) * LETTER + 12);
  const values = Math.max(...shown.flatMap((each) => each.texts.map((text) => text.length))) * LETTER + 16;
  const most = Math.max(0, ...shown.flatMap((each) => each.values.map((value) => value ?? 0))) || 1;
  const long = (value) => Math.max(value ? 2 : 0, ((width - names - values) * (value ?? 0)) / most);
  const at = add(svg, "rect", { class: "at", x: 0, width, height: tall, visibility: "hidden" });
  chart.steps.forEach((step, row) => {
    const y = 6 + row * tall;
    fitted(add(svg, "text", { class: "is-name", x: 0, y: y + 19 }, step.label), step.label, names - 12);
    shown.forEach((each, place) => {
      const own = { thick: shown.length > 1 ? 14 : 20, y: y + 4 + place * 17 };
      add(svg, "rect", { class: place === 0 && step.colour ? step.colour : each.look, x: names, y: own.y, width: long(each.values[row]), height: own.thick });
      add(svg, "text", { class: place ? "" : "is-value", x: names + long(each.values[row]) + 8, y: own.y + own.thick / 2 + 5 }, each.texts[row]);
    });
  });
  return {
    left: () => names,
    stepAt: (_x, y) => Math.min(chart.steps.length - 1, Math.max(0, Math.floor((y - 6) / tall))),
    point(step) {
      at.setAttribute("visibility", step === null ? "hidden" : "visible");
      if (step !== null) at.setAttribute("y", 4 + step * tall);
    },
  };
}

// Round marks from nothing to above the highest; whole ones where things are counted.
function axisMarks(most, unit) {
  const [, top] = nice(0, most || 1, 4);
  const marks = unit === "count" ? ticks(0, top, 4).filter(Number.isInteger) : ticks(0, top, 4);
  if (marks.at(-1) < most) marks.push(Math.ceil(most));
  return marks.length > 1 ? marks : [0, Math.max(1, Math.ceil(most))];
}

// As many names of steps as fit, the last one always among them.
function stepLabels(svg, steps, middle, band, width, height) {
  const longest = Math.max(...steps.map((step) => step.label.length)) * LETTER + 18;
  const every = [1, 2, 3, 4, 5, 6, 7, 14, 28, 56, 112, 365].find((count) => count * band >= longest) ?? steps.length;
  for (let step = steps.length - 1; step >= 0; step -= every) {
    const half = (steps[step].label.length * LETTER) / 2;
    const x = Math.min(width - half, Math.max(half, middle(step)));
    add(svg, "text", { x, y: height - 6, "text-anchor": "middle" }, steps[step].label);
  }
}

function fitted(text, whole, room) {
  for (let length = whole.length; length > 1 && text.getComputedTextLength() > room; length--) text.textContent = `${whole.slice(0, length - 1).trimEnd()}…`;
}

function add(svg, name, attributes, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return svg.appendChild(node);
}
