// Turns each <figure class="chart"> into a chart of the table it holds: by mouse, finger and keyboard (arrows move along,
// Enter opens what is counted), with a legend that hides lines. What is said about a figure stands in the table.

import { draw } from "./chart-drawing.js";

const LEAPS = { PageUp: 7, PageDown: -7 };
const hidden = new Map(); // by chart: the lines that are put away, also after the page was read again

class ChartOnPage {
  constructor(figure) {
    this.figure = figure;
    this.stage = figure.querySelector(".chart-stage");
    this.svg = this.stage.querySelector("svg");
    this.step = null;
    this.isTouched = false;
    this.read();
    if (!this.steps.length || !this.lines.length) return;
    this.tip = this.stage.appendChild(document.createElement("div"));
    this.tip.className = "chart-tip";
    this.tip.hidden = true;
    this.tip.setAttribute("aria-hidden", "true");
    this.legend();
    this.listen();
    this.draw();
    new ResizeObserver(() => this.stage.clientWidth !== this.width && this.draw()).observe(this.stage);
  }

  // The table is the chart's only truth.
  read() {
    const { kind, unit, locale, currency } = this.figure.dataset;
    const table = this.figure.querySelector("table");
    const rows = [...table.tBodies[0].rows];
    const heads = [...table.tHead.rows[0].cells];
    this.kind = kind;
    this.unit = unit;
    this.put = hidden.get(this.figure.dataset.key) ?? hidden.set(this.figure.dataset.key, new Set()).get(this.figure.dataset.key);
    this.lines = heads.flatMap((head, column) => {
      if (!head.dataset.line) return [];
      const cells = rows.map((row) => row.cells[column]);
      return {
        name: head.textContent,
        look: head.dataset.line,
        values: cells.map((cell) => ("value" in cell.dataset ? Number(cell.dataset.value) : null)),
        texts: cells.map((cell) => cell.textContent),
        isShown: true,
      };
    });
    const sums = heads.at(-1).dataset.line || heads.length < 2 ? null : rows.map((row) => row.cells[heads.length - 1].textContent);
    this.steps = rows.map((row, place) => ({
      label: row.cells[0].dataset.label,
      full: row.cells[0].textContent,
      url: row.cells[0].querySelector("a")?.href,
      colour: row.cells[0].dataset.colour,
      isOpen: "soFar" in row.dataset,
      sum: sums?.[place],
    }));
    const short = { notation: "compact", maximumFractionDigits: 1 };
    const styles = {
      money: { ...short, style: "currency", currency: currency || "USD", minimumFractionDigits: 0 },
      share: { style: "percent", maximumFractionDigits: 1 },
    };
    const format = new Intl.NumberFormat(locale, styles[unit] ?? short);
    this.say = (value) => (unit === "seconds" ? `${Math.floor(value / 60)}:${String(Math.round(value % 60)).padStart(2, "0")}` : format.format(value));
  }

  legend() {
    [...this.figure.querySelectorAll(".chart-legend .line-name")].forEach((name, place) => {
      this.lines[place].mark = name.querySelector("svg");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "line-name";
      button.append(...name.childNodes);
      name.replaceWith(button);
      const show = () => {
        this.lines[place].isShown = !this.put.has(this.lines[place].name);
        button.setAttribute("aria-pressed", this.lines[place].isShown);
      };
      show();
      button.addEventListener("click", () => {
        const { name } = this.lines[place];
        if (!this.put.delete(name) && this.lines.filter((each) => each.isShown).length > 1) this.put.add(name);
        show();
        this.draw();
      });
    });
  }

  draw() {
    this.width = this.stage.clientWidth;
    if (!this.width) return;
    this.drawn = draw(this.svg, this, this.width);
    if (this.step !== null) this.point(this.step);
  }

  listen() {
    const { stage } = this;
    stage.tabIndex = 0;
    stage.setAttribute("role", "slider");
    stage.setAttribute("aria-labelledby", this.figure.querySelector("figcaption").id);
    stage.setAttribute("aria-valuemin", 0);
    stage.setAttribute("aria-valuemax", this.steps.length - 1);
    this.tell(this.steps.length - 1);
    const at = (event) => {
      const box = this.svg.getBoundingClientRect();
      return this.drawn.stepAt(event.clientX - box.left, event.clientY - box.top);
    };
    stage.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse" || event.buttons) this.point(at(event), event.pointerType !== "mouse");
    });
    stage.addEventListener("pointerdown", (event) => {
      if (!event.target.closest("a")) this.point(at(event), event.pointerType !== "mouse");
    });
    stage.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.point(null));
    stage.addEventListener("click", (event) => {
      if (!this.isTouched && !event.target.closest("a")) this.open(event);
    });
    stage.addEventListener("focus", () => stage.matches(":focus-visible") && this.point(this.step ?? this.now));
    stage.addEventListener("blur", () => this.point(null));
    stage.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("pointerdown", (event) => {
      if (this.isTouched && !stage.contains(event.target)) this.point(null);
    });
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== this.stage) return;
    const last = this.steps.length - 1;
    const lying = this.kind === "bars" ? -1 : 1;
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowUp: lying, ArrowDown: -lying, ...LEAPS }[event.key];
    if (by) this.point(Math.min(last, Math.max(0, this.now + by)));
    else if (event.key === "Home") this.point(0);
    else if (event.key === "End") this.point(last);
    else if (event.key === "Enter") this.open(event);
    else if (event.key === "Escape") this.point(null);
    else return;
    event.preventDefault();
  }

  open(event) {
    const url = this.step !== null && this.steps[this.step].url;
    if (!url) return;
    if (event.ctrlKey || event.metaKey) window.open(url);
    else location.assign(url);
  }

  // What screen readers say of a step.
  tell(step) {
    this.now = step;
    const { full, sum, isOpen } = this.steps[step];
    const parts = this.lines.filter((each) => each.isShown && each.values[step]).map((each) => `${each.name} ${each.texts[step]}`);
    if (sum) parts.unshift(`${this.figure.dataset.total} ${sum}`);
    else if (!parts.length) parts.push(this.lines[0].texts[step]);
    this.stage.setAttribute("aria-valuenow", step);
    this.stage.setAttribute("aria-valuetext", `${full}${isOpen ? `, ${this.figure.dataset.soFar}` : ""}: ${parts.join(", ")}`);
  }

  point(step, isTouched = false) {
    this.step = step;
    this.isTouched = step !== null && isTouched;
    this.drawn?.point(step);
    this.tip.hidden = step === null;
    if (step === null) return;
    this.tell(step);
    this.stage.toggleAttribute("data-opens", Boolean(this.steps[step].url));
    this.fill(step);
    const x = this.drawn.left(step);
    const wide = this.tip.offsetWidth;
    const beside = x + 16 + wide <= this.width ? x + 16 : x - 16 - wide;
    const [left, top] = this.kind === "bars" ? [Math.max(0, this.width - wide), 6 + step * 34] : [Math.min(this.width - wide, Math.max(0, beside)), 0];
    this.tip.style.left = `${left}px`;
    this.tip.style.top = `${top}px`;
  }

  fill(step) {
    const { full, sum, url, isOpen } = this.steps[step];
    const list = node("dl");
    for (const each of this.lines) {
      if (each.isShown && (each.values[step] || this.kind !== "stacked")) list.append(row(each.mark?.cloneNode(true), each.name, each.texts[step]));
    }
    if (sum) {
      const total = row(null, this.figure.dataset.total, sum);
      if (list.childElementCount) total.className = "is-total";
      list.append(total);
    }
    this.tip.classList.toggle("is-touched", this.isTouched);
    this.tip.replaceChildren(node("b", isOpen ? `${full} · ${this.figure.dataset.soFar}` : full), list);
    if (url && this.isTouched) {
      const link = node("a", this.figure.dataset.open);
      link.href = url;
      link.tabIndex = -1;
      this.tip.append(link);
    }
  }
}

function node(name, text = "") {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function row(mark, name, text) {
  const made = node("div");
  const sign = node("span");
  if (mark) sign.append(mark);
  made.append(sign, node("dt", name), node("dd", text));
  return made;
}

const drawn = new WeakSet();

export function drawCharts(root = document) {
  for (const figure of root.querySelectorAll("figure.chart")) {
    if (drawn.has(figure)) continue;
    drawn.add(figure);
    new ChartOnPage(figure);
  }
}

// After the module that imported this one, which may want to see the page as it was served.
queueMicrotask(() => drawCharts());
