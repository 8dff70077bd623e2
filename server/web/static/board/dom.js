// Elements without innerHTML: what comes from the data can only ever become text.

export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "place") place(element, value);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...shown(children));
  return element;
}

// Replace what an element holds; what is not there is left out, as in `h`.
export function fill(element, ...children) {
  element.replaceChildren(...shown(children));
}

const shown = (children) => children.flat().filter((child) => child !== null && child !== undefined && child !== false);

// Position in pixels, through the object model: the content security policy forbids style attributes.
export function place(element, { left, width, top, height }) {
  if (left !== undefined) element.style.left = `${left}px`;
  if (width !== undefined) element.style.width = `${Math.max(width, 0)}px`;
  if (top !== undefined) element.style.top = `${top}px`;
  if (height !== undefined) element.style.height = `${height}px`;
}

export const byId = (id) => document.getElementById(id);

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = {
  assigned: "M8 2.500a5.500 5.500 0 1 0 0 11a5.500 5.500 0 0 0 0-11Z", // a ring
  travelling: "M3 3l10 5-10 5 2.500-5Z", // an arrow head
  on_site: "M8 1.500L14.500 8 8 14.500 1.500 8Z", // a diamond
  completed: "M2.500 8.500l3.500 3.500 7.500-8", // a tick
  unfinished: "M8 2v7.500M8 12.500v1.500", // an exclamation mark
  cancelled: "M3 3l10 10M13 3L3 13", // a cross
  unassigned: "M5.500 5.500a2.500 2.500 0 1 1 3.600 2.200C8.300 8.200 8 8.600 8 9.500M8 12v1.500", // a question mark
  lock: "M4 7.500h8v6H4ZM5.500 7.500V5a2.500 2.500 0 0 1 5 0v2.500",
  link: "M6.500 9.500l3-3M7 4.500l1.500-1.500a2.800 2.800 0 0 1 4 4L11 8.500M9 11.500L7.500 13a2.800 2.800 0 0 1-4-4L5 7.500",
  emergency: "M8 1.500L15 14H1Z",
};
const FILLED = new Set(["travelling", "on_site", "emergency", "lock"]);

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[name]);
  path.setAttribute("fill", FILLED.has(name) ? "currentColor" : "none");
  path.setAttribute("stroke", "currentColor");
  path.setAttribute("stroke-width", FILLED.has(name) ? "1" : "2");
  path.setAttribute("stroke-linejoin", "round");
  path.setAttribute("stroke-linecap", "round");
  svg.append(path);
  return svg;
}
