// Offers an SVG of the page as a file: as it is, or as a PNG of twice its size.
function savePicture(picture, kind, name) {
  const [width, height] = ["width", "height"].map((side) => Number(picture.getAttribute(side)));
  const address = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(picture)], { type: "image/svg+xml" }));
  const offer = (href) => {
    const link = document.createElement("a");
    link.href = href;
    link.download = `${name}.${kind}`;
    link.click();
  };
  if (kind === "svg") {
    offer(address);
    setTimeout(() => URL.revokeObjectURL(address), 1000);
    return;
  }
  const image = new Image();
  image.onload = () => {
    const canvas = document.createElement("canvas");
    canvas.width = 2 * width;
    canvas.height = 2 * height;
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    offer(canvas.toDataURL("image/png"));
    URL.revokeObjectURL(address);
  };
  image.src = address;
}
