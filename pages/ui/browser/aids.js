// Mends what Streamlit's own markup lacks for keys and screen readers, after each drawing of the page.
const PAGE = "[data-testid=stMain]";
const NARROW = window.matchMedia("(max-width: 640px)"); // as in aids.css
const OVER = window.matchMedia("(max-width: 768px)"); // Streamlit's own bound
const REACHED = "a[href], button, input, select, textarea, summary, [tabindex]";
const QUIET = "data-kd-quiet"; // has the focus, shows no frame: see aids.css
const HELD = new Set(["Control", "Shift", "Alt", "Meta"]); // alone, they move nothing
const WAIT = 120; // milliseconds after a change, so that a drawing is looked at a few times, not at every element
const memory = (window.kdAids ??= { last: null, timer: 0, words: {}, tell: null, pressed: false });

function put(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

// Headings come in the sizes a page wants; their levels, as told to a screen reader, leave none out.
function levels() {
  const open = []; // [own level, told level]
  for (const heading of document.querySelectorAll(`${PAGE} :is(h1, h2, h3, h4, h5, h6)`)) {
    if (!heading.checkVisibility()) continue;
    const own = Number(heading.tagName[1]);
    while (open.length && open.at(-1)[0] >= own) open.pop();
    const told = open.length ? open.at(-1)[1] + 1 : 1;
    open.push([own, told]);
    put(heading, "aria-level", told === own ? null : told);
  }
}

// Code and logs that scroll are reached by key; those that don't are no stop.
function scrolling() {
  for (const code of document.querySelectorAll("[data-testid=stCode] pre")) {
    const scrolls = code.scrollWidth > code.clientWidth + 1 || code.scrollHeight > code.clientHeight + 1;
    put(code, "tabindex", scrolls ? 0 : null);
    put(code, "role", scrolls ? "group" : null);
    put(code, "aria-label", scrolls ? memory.words.code : null);
  }
}

// On a phone a table has no head: each value says what it is.
function titled() {
  if (!NARROW.matches) return;
  for (const table of document.querySelectorAll("[data-testid=stTable] table")) {
    const titles = [...table.querySelectorAll("thead th")].map((title) => title.textContent.trim());
    for (const row of table.tBodies[0]?.rows ?? [])
      [...row.cells].forEach((cell, at) => put(cell, "data-title", cell.textContent.trim() ? (titles[at] ?? "") : null));
  }
}

// Names are written with the signs that keep text from being read as markup; a screen reader would spell them.
function spelled() {
  for (const element of document.querySelectorAll("[aria-label*='&#'], [aria-label*='\u2060']")) {
    const text = document.createElement("textarea");
    text.innerHTML = element.getAttribute("aria-label");
    put(element, "aria-label", text.value.replaceAll("\u2060", ""));
  }
}

const drawing = () => document.querySelector("[data-testid=stApp]")?.dataset.testScriptState !== "notRunning";
const nameOf = (element) => element.getAttribute("aria-label") || element.innerText || "";
const title = () => document.querySelector(`${PAGE} h1`);

function keysAround(element) {
  const keys = [];
  for (let node = element; node && node !== document.body; node = node.parentElement)
    keys.push(...[...(node.classList ?? [])].filter((name) => name.startsWith("st-key-")));
  return keys;
}

function remember({ target }) {
  if (!(target instanceof HTMLElement) || target === document.body) return;
  memory.last = { element: target, keys: keysAround(target), name: nameOf(target), tag: target.tagName, page: title()?.innerText };
}

// A control that was drawn anew or moved gets the focus back, else what stands in its place; on a new page its title does.
function refocus() {
  const { last } = memory;
  if (!last || drawing() || (document.activeElement ?? document.body) !== document.body) return;
  const moved = last.element.isConnected; // React moves an element by taking it out: the focus is gone, the element is not
  if (moved && (memory.pressed || !last.element.checkVisibility())) return; // a press beside it takes the focus away, too
  let place = moved ? last.element : null;
  if (!moved && title()?.innerText === last.page)
    for (const key of last.keys) {
      const around = document.querySelector(`.${CSS.escape(key)}`);
      const found = [...(around?.querySelectorAll(REACHED) ?? [])].filter((one) => one.checkVisibility() && one.tabIndex >= 0);
      place = found.find((one) => one.tagName === last.tag && nameOf(one) === last.name) ?? found[0];
      if (place) break;
    }
  place ??= title();
  if (!place) return;
  if (place === title()) place.tabIndex = -1;
  put(place, QUIET, memory.pressed ? "" : null);
  place.focus({ preventScroll: true });
}

// A browser frames whatever a script gives the focus to; who uses a mouse takes that for a fault. The first key shows it.
function byPointer() {
  memory.pressed = true;
}

function byKey({ key }) {
  if (HELD.has(key)) return;
  memory.pressed = false;
  for (const element of document.querySelectorAll(`[${QUIET}]`)) element.removeAttribute(QUIET);
}

// Streamlit leaves a new page scrolled to where the last one was; another page, or another run, begins at its top.
function begun() {
  const { pathname, search, hash } = window.location;
  const at = `${pathname} ${new URLSearchParams(search).get("run") ?? ""}`;
  if (memory.at !== undefined && memory.at !== at && !hash) document.querySelector(PAGE)?.scrollTo({ top: 0, behavior: "instant" });
  memory.at = at;
}

// On a phone the menu lies over the page, and Streamlit leaves it there, for the next visit, too.
function close() {
  const menu = document.querySelector("[data-testid=stSidebar]");
  if (OVER.matches && menu?.getBoundingClientRect().right > 0) menu.querySelector("[data-testid=stSidebarCollapseButton] button")?.click();
}

function followed({ target }) {
  if (target instanceof Element && target.closest("[data-testid=stSidebar] a[href]")) setTimeout(close, WAIT);
}

function mend() {
  memory.timer = 0;
  begun();
  levels();
  scrolling();
  spelled();
  titled();
  refocus();
  // Told while a page is being drawn, it would begin anew and lose what widgets were told of their values.
  if (!drawing()) memory.tell?.(NARROW.matches);
}

function soon() {
  memory.timer ||= setTimeout(mend, WAIT);
}

export default function ({ data, setStateValue }) {
  const first = !memory.tell;
  memory.words = data;
  memory.narrow = data.narrow; // what the server knows
  let told = null;
  memory.tell = (narrow) => {
    if (narrow !== (told ?? data.narrow)) setStateValue("narrow", (told = narrow));
  };
  soon();
  if (!first) return;
  close();
  document.addEventListener("click", followed);
  document.addEventListener("focusin", remember);
  document.addEventListener("pointerdown", byPointer, true);
  document.addEventListener("keydown", byKey, true);
  window.addEventListener("resize", soon);
  // A tab loses the focus while it is stale, and can take it again only after the script has ended.
  const attributeFilter = ["data-test-script-state", "aria-disabled"];
  const drawn = { childList: true, subtree: true, attributes: true, attributeFilter };
  new MutationObserver(soon).observe(document.body, drawn);
}
