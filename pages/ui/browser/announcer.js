// Tells a screen reader what changed. The element stays; only a new text is spoken.
export default function ({ data, parentElement }) {
  const place = parentElement.querySelector("[role=status]");
  if (place.textContent !== data.text) place.textContent = data.text;
}
