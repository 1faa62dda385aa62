// Tells a screen reader what changed. One place for the whole page, outside of what Streamlit draws anew:
// a new text is spoken only in a place that was there before, also when a run's page becomes its result.
const ID = "kd-announcer";
const UNSEEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap";

function standing() {
  const place = document.createElement("div");
  place.id = ID;
  place.setAttribute("role", "status");
  place.setAttribute("aria-live", "polite");
  place.style.cssText = UNSEEN;
  document.body.append(place);
  return place;
}

export default function ({ data }) {
  const place = document.getElementById(ID) ?? standing();
  if (place.textContent !== data.text) place.textContent = data.text;
  return () => {
    if (place.textContent === data.text) place.textContent = "";
  };
}
