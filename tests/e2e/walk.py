"""What a page is looked at for beyond axe: names, order of headings, charts told in words, a phone's width, the way of the Tab key."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

# Everything visible, also inside of components that keep their own tree.
EVERY = """
const every = (root, selector) => [...root.querySelectorAll(selector)].concat(
  ...[...root.querySelectorAll("*")].filter(e => e.shadowRoot).map(e => every(e.shadowRoot, selector)));
const seen = e => e.checkVisibility({ visibilityProperty: true }) && e.getBoundingClientRect().width > 0;
const place = e => { const key = (e.getRootNode().host ?? e).closest("[class*='st-key-']");
  return `${key ? [...key.classList].find(c => c.startsWith("st-key-")) : "-"} ${e.tagName.toLowerCase()} '${
    (e.getAttribute("aria-label") || e.innerText || "").trim().slice(0, 40)}'`; };
"""
STRUCTURE = f"""() => {{ {EVERY}
  const found = [];
  const page = document.querySelector("[data-testid=stMain]");
  if (document.documentElement.lang !== "en") found.push("the page names no language");
  if (!document.title) found.push("the page has no title");
  if (!document.querySelector("[data-testid=stSkipToContent]")) found.push("no link skips the sidebar");
  let last = 0;
  const heads = every(page, "h1, h2, h3, h4, h5, h6").filter(seen);
  for (const head of heads) {{
    const level = Number(head.getAttribute("aria-level") ?? head.tagName[1]);
    if (level > last + 1) found.push(`heading '${{head.innerText}}' of level ${{level}} follows level ${{last}}`);
    last = level;
  }}
  if (heads.filter(h => h.tagName === "H1").length !== 1) found.push("not one title");
  for (const chart of every(page, "[data-testid=stPlotlyChart]").filter(seen)) {{
    const told = chart.closest("[role=figure], [role=img]") ?? chart.querySelector("[role=figure], [role=img]");
    const words = told?.getAttribute("aria-label") ?? "";
    if (!/\\d/.test(words) || words.length < 20) found.push(`a chart says only '${{words}}': ${{place(chart)}}`);
  }}
  for (const one of every(document.body, "button, a[href], input, select, textarea, [role=button], [role=slider]").filter(seen)) {{
    const words = (one.getAttribute("aria-label") ?? "").trim();
    if (/\\b(undefined|null|NaN)\\b/.test(words) || /\\*\\*|:material\\/|:gray\\[|:small\\[|&nbsp;|&#\\d+;/.test(words))
      found.push(`the name '${{words}}' is not for people: ${{place(one)}}`);
  }}
  return found; }}"""
PHONE = f"""() => {{ {EVERY}
  const found = [];
  const page = document.querySelector("[data-testid=stMain]");
  const wide = Math.max(document.documentElement.scrollWidth, document.body.scrollWidth);
  if (wide > innerWidth) found.push(`the page is ${{wide}} pixels wide`);
  if (page.scrollWidth > page.clientWidth) found.push(`the page scrolls sideways: ${{page.scrollWidth}} pixels`);
  for (const table of every(page, ".dvn-scroller").filter(seen))
    if (table.scrollWidth > table.clientWidth + 2) found.push(`a table is wider than the screen: ${{place(table)}}`);
  const aims = "a[href], button, input:not([type=hidden], [type=file]), select, summary, [role=button], [role=tab], [role=option], [role=slider]";
  for (const one of every(page, aims).filter(seen)) {{
    const inText = one.tagName === "A" && getComputedStyle(one).display === "inline";
    const aim = one.tagName === "INPUT" ? one.closest("label") ?? one : one;
    const {{ width, height }} = aim.getBoundingClientRect();
    if (!inText && Number(getComputedStyle(one).opacity) && Math.min(width, height) < 23.5)
      found.push(`only ${{Math.round(width)}} x ${{Math.round(height)}} pixels to aim at: ${{place(one)}}`);
  }}
  const moving = document.getAnimations().filter(a => a.playState === "running" && a.effect.getComputedTiming().duration > 50);
  if (moving.length) found.push(`${{moving.length}} parts move though stillness was asked for`);
  return found; }}"""
HERE = f"""() => {{ {EVERY}
  let e = document.activeElement;
  while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
  if (!e || e === document.body) return null;
  const ring = (n, own) => {{ const s = getComputedStyle(n);
    return (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2) || (own && s.boxShadow !== "none"); }};
  const inner = e.querySelector?.(":scope > .ring"); // a cell that is drawn frames itself with a stroke
  const drawn = inner && getComputedStyle(inner).stroke !== "none" && parseFloat(getComputedStyle(inner).strokeWidth) >= 2;
  if (e.closest("canvas")) return {{ place: place(e), ring: true, on: true, skip: false }}; // a table draws the frame of its cell itself
  const near = [e];
  while (near.length < 5 && near.at(-1)) near.push(near.at(-1).parentElement ?? near.at(-1).getRootNode().host);
  const beside = e.nextElementSibling ? [e.nextElementSibling] : [];
  const {{ top, bottom }} = e.getBoundingClientRect();
  return {{ place: place(e), ring: drawn || near.concat(beside).some((n, i) => n && ring(n, i === 0)),
    on: bottom > 0 && top < innerHeight, skip: e.dataset.testid === "stSkipToContent" }}; }}"""
MOST = 320  # presses of Tab on one page


def here(page: Page) -> dict[str, Any] | None:
    """Say where the keyboard is, and whether that can be seen; None when it is nowhere."""
    found: dict[str, Any] | None = page.evaluate(HERE)
    return found


def round_by_key(page: Page) -> list[str]:
    """Go once through the page by Tab, and tell where the place is not seen and where there is no way on."""
    found, again, last = [], 0, ""
    page.evaluate("() => { document.activeElement?.blur(); window.scrollTo(0, 0); }")
    for at in range(MOST):
        page.keyboard.press("Tab")
        now = here(page)
        if now is None or (at > 5 and now["skip"]):
            return found
        if not now["ring"] or not now["on"]:
            found.append(f"the keyboard's place is not seen: {now['place']}")
        again = again + 1 if now["place"] == last else 0
        last = now["place"]
        if again > 40:  # a table goes on from cell to cell of its line
            return [*found, f"no way on by key: {last}"]
    return [*found, f"no end after {MOST} places, at {last}"]
