// Saves the chart above this row as a picture: Plotly's own toolbar would lie on legends and cells.
// And keeps a chart in sight until the one that replaces it is drawn: Streamlit takes the old one away first, so that a live chart would blink.
const NS = "http://www.w3.org/2000/svg";

function chartNear(element) {
  let node = element.getRootNode().host || element;
  while (node && !node.querySelector(".js-plotly-plot")) node = node.parentElement;
  return node && node.querySelector(".js-plotly-plot");
}

// The page's own font is not there where a picture is looked at: each line of text keeps the length that it was laid out with.
const lines = (layer) => [...layer.querySelectorAll("text, tspan")].filter((line) => !line.querySelector("tspan") && line.textContent);
function measured(layer) {
  const copy = layer.cloneNode(true);
  const copied = lines(copy);
  lines(layer).forEach((line, at) => {
    const length = line.getComputedTextLength();
    if (length > 0) copied[at].setAttribute("textLength", length);
    copied[at].setAttribute("lengthAdjust", "spacingAndGlyphs");
  });
  return copy;
}

const TITLE = [20, 15]; // pixels of the title that a saved picture has, and of the line below it
// A picture that leaves the page says what it shows, of which data, and when it was saved.
function titled(picture, title, about) {
  if (!title) return picture;
  const [width, height] = ["width", "height"].map((side) => Number(picture.getAttribute(side)));
  const app = getComputedStyle(document.querySelector("[data-testid=stApp]"));
  const [paper, ...drawn] = picture.childNodes;
  const chart = document.createElementNS(NS, "g");
  const pen = document.createElement("canvas").getContext("2d");
  let top = 8;
  const said = [title, [about, new Date().toISOString().slice(0, 10)].filter(Boolean).join(" · ")].map((words, at) => {
    const line = document.createElementNS(NS, "text");
    const font = { "font-size": TITLE[at], "font-weight": at ? 400 : 600, "font-family": app.fontFamily, fill: app.color, x: 8, y: (top += TITLE[at]) };
    for (const [key, value] of Object.entries(font)) line.setAttribute(key, value);
    line.textContent = words;
    pen.font = `${font["font-weight"]} ${font["font-size"]}px ${font["font-family"]}`;
    line.setAttribute("textLength", Math.min(pen.measureText(words).width, width - 16));
    line.setAttribute("lengthAdjust", "spacingAndGlyphs");
    top += 6;
    return line;
  });
  chart.setAttribute("transform", `translate(0 ${top})`);
  chart.append(...drawn);
  picture.replaceChildren(paper, ...said, chart);
  picture.setAttribute("height", height + top);
  picture.setAttribute("viewBox", `0 0 ${width} ${height + top}`);
  return picture;
}

// Plotly lays a chart out as several SVG layers, and many marks as a canvas between them: one picture of all.
function pictureOf(chart) {
  const layers = [...chart.querySelectorAll("svg.main-svg")];
  const { width, height } = chart.getBoundingClientRect();
  const picture = document.createElementNS(NS, "svg");
  for (const [key, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` }))
    picture.setAttribute(key, value);
  const paper = document.createElementNS(NS, "rect");
  paper.setAttribute("width", "100%");
  paper.setAttribute("height", "100%");
  paper.setAttribute("fill", getComputedStyle(document.querySelector("[data-testid=stApp]")).backgroundColor);
  picture.append(paper);
  layers.forEach((layer, place) => {
    picture.append(...measured(layer).childNodes);
    if (place > 0) return;
    for (const canvas of chart.querySelectorAll(".gl-container canvas")) {
      const image = document.createElementNS(NS, "image");
      image.setAttribute("href", canvas.toDataURL());
      image.setAttribute("width", width);
      image.setAttribute("height", height);
      picture.append(image);
    }
  });
  picture.querySelectorAll(".drag, .draglayer, .hoverlayer, .zoomlayer, .modebar").forEach((part) => part.remove());
  return picture;
}

const GIVEN_UP = 10_000; // milliseconds after which no new chart is awaited any more
const AT_REST = 300; // milliseconds after a drawing: Plotly draws a chart a second time to fit it in
const drawn = (chart) => chart?.querySelector(".main-svg") && getComputedStyle(chart).visibility !== "hidden";

// Watches the place of one chart: what was drawn last is put over it from the moment the chart is gone until the next one is drawn.
function held(parentElement) {
  const host = parentElement.getRootNode().host || parentElement;
  const place = host.closest("[data-testid=stVerticalBlock]"); // of the chart and its buttons alone
  let chart, picture, rest, end, waiting, heard;
  const remember = () => {
    if (!drawn(chart)) return;
    const [own, around] = [chart, host].map((element) => element.getBoundingClientRect());
    const next = pictureOf(chart);
    next.setAttribute("class", "held");
    next.setAttribute("aria-hidden", "true");
    next.style.left = `${own.left - around.left}px`;
    next.style.top = `${own.top - around.top}px`;
    picture?.remove();
    picture = next;
  };
  const rested = () => {
    clearTimeout(rest);
    rest = setTimeout(remember, AT_REST);
  };
  const uncover = () => {
    cancelAnimationFrame(waiting); // one wait, whichever chart it began for
    if (!drawn(chart) && performance.now() < end) {
      waiting = requestAnimationFrame(uncover);
      return;
    }
    picture?.remove();
    if (chart?.on && heard !== chart) (heard = chart).on("plotly_afterplot", rested);
    rested();
  };
  const look = () => {
    const now = place.querySelector(".js-plotly-plot");
    if (now === chart && (!chart || chart.isConnected)) return;
    const gone = chart && !chart.isConnected;
    chart = now;
    if (gone && picture) parentElement.append(picture);
    end = performance.now() + GIVEN_UP;
    if (chart || gone) uncover();
  };
  const watch = new MutationObserver(look);
  watch.observe(place, { childList: true, subtree: true });
  look();
  return () => {
    watch.disconnect();
    clearTimeout(rest);
    cancelAnimationFrame(waiting);
    picture?.remove();
  };
}

const standing = new WeakMap();

export default function ({ data, parentElement }) {
  for (const button of parentElement.querySelectorAll("button")) {
    const kind = button.dataset.kind;
    button.setAttribute("aria-label", data.labels[kind]);
    button.title = data.labels[kind];
    button.onclick = () => {
      const chart = chartNear(parentElement);
      if (chart) savePicture(titled(pictureOf(chart), data.title, data.about), kind, data.name);
    };
  }
  if (!standing.has(parentElement)) standing.set(parentElement, held(parentElement));
  return () => {
    standing.get(parentElement)?.();
    standing.delete(parentElement);
  };
}
