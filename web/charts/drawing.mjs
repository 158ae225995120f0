// What charts.js takes of D3: round steps for an axis, layers on top of one another, and lines. Nothing else is served.

export { nice, ticks } from "d3-array";
export { curveMonotoneX, line, stack } from "d3-shape";
