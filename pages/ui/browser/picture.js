// Saves the chart above this row as a picture: Plotly's own toolbar would lie on legends and cells.
const NS = "http://www.w3.org/2000/svg";

function chartNear(element) {
  let node = element.getRootNode().host || element;
  while (node && !node.querySelector(".js-plotly-plot")) node = node.parentElement;
  return node && node.querySelector(".js-plotly-plot");
}

// Plotly lays a chart out as several SVG layers, and many marks as a canvas between them: one picture of all.
function pictureOf(chart) {
  const layers = [...chart.querySelectorAll("svg.main-svg")];
  const { width, height } = chart.getBoundingClientRect();
  const picture = document.createElementNS(NS, "svg");
  for (const [key, value] of Object.entries({ xmlns: NS, width, height, viewBox: `0 0 ${width} ${height}` }))
    picture.setAttribute(key, value);
  const paper = document.createElementNS(NS, "rect");
  paper.setAttribute("width", "100%");
  paper.setAttribute("height", "100%");
  paper.setAttribute("fill", getComputedStyle(document.querySelector("[data-testid=stApp]")).backgroundColor);
  picture.append(paper);
  layers.forEach((layer, place) => {
    picture.append(...layer.cloneNode(true).childNodes);
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
  return { text: new XMLSerializer().serializeToString(picture), width, height };
}

function download(href, name) {
  const link = document.createElement("a");
  link.href = href;
  link.download = name;
  link.click();
}

function save(chart, kind, name) {
  const { text, width, height } = pictureOf(chart);
  const address = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  const done = () => URL.revokeObjectURL(address);
  if (kind === "svg") {
    download(address, `${name}.svg`);
    setTimeout(done, 1000);
    return;
  }
  const image = new Image();
  image.onload = () => {
    const canvas = document.createElement("canvas");
    canvas.width = 2 * width;
    canvas.height = 2 * height;
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    download(canvas.toDataURL("image/png"), `${name}.png`);
    done();
  };
  image.src = address;
}

export default function ({ data, parentElement }) {
  for (const button of parentElement.querySelectorAll("button")) {
    const kind = button.dataset.kind;
    button.setAttribute("aria-label", data.labels[kind]);
    button.title = data.labels[kind];
    button.onclick = () => {
      const chart = chartNear(parentElement);
      if (chart) save(chart, kind, data.name);
    };
  }
}
