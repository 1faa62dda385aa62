// Makes what stands on the page. Every word goes in as text: no text of a row, class or column is ever read as markup.
const SVG = "http://www.w3.org/2000/svg";

function el(tag, given = {}, ...children) {
  return dressed(document.createElement(tag), given, children);
}

function drawn(tag, given = {}, ...children) {
  return dressed(document.createElementNS(SVG, tag), given, children);
}

function dressed(element, given, children) {
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// "{num} {num:row|rows}": a word goes by its number.
const numbered = (template, values) => template.replace(/\{(\w+):([^{}|]*)\|([^{}|]*)\}/g, (_, name, one, many) => (String(values[name]) === "1" ? one : many));

// "At T = {t} it gives {share}" with bold values, as nodes.
function said(template, values) {
  return numbered(template, values).split(/\{(\w+)\}/).map((part, at) => (at % 2 ? el("b", {}, String(values[part])) : part));
}

function say(place, template, values = {}) {
  renew(place, ...said(template, values));
}

// Nodes of the kinds that stand already give these their texts: that costs the page a part of new ones, and a reader's selection stays.
function renew(place, ...nodes) {
  const next = el("div", {}, ...nodes);
  if (!retold(place, next)) place.replaceChildren(...next.childNodes);
}

function retold(place, next) {
  if (place.nodeName === "#text") write(place, next.data);
  const [old, wanted] = [place.childNodes, next.childNodes];
  return old.length === wanted.length && Array.from(old).every((node, at) => node.nodeName === wanted[at].nodeName && retold(node, wanted[at]));
}

function filled(template, values = {}) {
  return numbered(template, values).replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

const percent = (share) => (Number.isFinite(share) ? `${(100 * share).toFixed(1)}\u00a0%` : "–");
const whole = (share) => `${Math.round(100 * share)}\u00a0%`;
const times = (log) => {
  if (!Number.isFinite(log)) return "–";
  const value = Math.exp(log);
  return `${value.toFixed(value < 9.995 ? 2 : 0)}×`; // near base rate a tenth tells too little
};
const exact = (count) => count.toLocaleString("en-US");
const short = (text, most) => (text.length > most ? `${text.slice(0, most - 7).trimEnd()}…${text.slice(-6).trimStart()}` : text);
const compact = (value) => {
  if (!Number.isFinite(value)) return "∞";
  if (value < 0) return `−${compact(-value)}`;
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e5 || size < 1e-3)) return value.toExponential(1).replace("e+", "·10^").replace("e", "·10^");
  return size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : value.toFixed(2);
};

// Four digits: what is worked out on the page gives, by hand, the share beside it.
const worked = (value) => {
  if (value < 0) return `−${worked(-value)}`;
  if (!(value >= 1e-3 && value < 1e4)) return compact(value);
  return value.toFixed(value >= 1000 ? 0 : value >= 100 ? 1 : value >= 10 ? 2 : 3);
};
// A distance in nats: three places, below 0.01 two digits that tell two of them apart.
const distance = (value) => {
  if (!(Math.abs(value) > 1e-9)) return "0.000"; // less is rounding
  return value >= 0.01 ? value.toFixed(3) : value >= 1e-6 ? value.toFixed(1 - Math.floor(Math.log10(value))) : compact(value);
};

// One choice of several: native radio buttons, drawn as a row.
function choice(name, legend, options, chosen, chose) {
  const box = el("fieldset", { class: "choice" }, el("legend", { class: "unseen" }, legend));
  for (const [value, label] of options) {
    const input = el("input", { type: "radio", name, value, checked: value === chosen, onchange: () => chose(value) });
    box.append(el("label", {}, input, el("span", {}, label)));
  }
  return box;
}

// A name may break after each _ as it may after a space.
const breakable = (name) => name.split(/(?<=_)/).flatMap((part, at) => (at ? [el("wbr"), part] : [part]));

// A #RRGGBB or rgb() colour as three numbers.
function rgb(colour) {
  const long = /^#(..)(..)(..)/.exec(colour.trim());
  if (long) return long.slice(1, 4).map((part) => parseInt(part, 16));
  return (colour.match(/[\d.]+/g) ?? [127, 127, 127]).slice(0, 3).map(Number);
}
