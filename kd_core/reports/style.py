"""How a report looks: on a light and a dark screen, on a narrow one, and on A4 paper."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#0b1218;--soft:#5b6876;--line:#dde3e9;--well:#f4f6f8;--link:#1f5f99;
--teacher:#0072b2;--baseline:#6f6f6f;--placebo:#8457ad;--plain:#b12a7c;--student:#c45400;
--good:#1b7a3d;--bad:#b3261e;--open:#8a5a00;--same:#1f5f99}
@media (prefers-color-scheme:dark){:root{--paper:#12171d;--ink:#e4eaf0;--soft:#9aa8b5;--line:#2e3945;--well:#1c242d;--link:#7fb6e6;
--teacher:#4aa8e0;--baseline:#a3a3a3;--placebo:#b58fd6;--plain:#e065ad;--student:#f28a3c;--good:#5cc98a;--bad:#f2877f;--open:#e3b04b;--same:#7fb6e6}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 "Source Sans 3","Source Sans Pro","Noto Sans","Noto Sans CJK SC","PingFang SC","Microsoft YaHei",system-ui,sans-serif;overflow-wrap:anywhere}
main{max-width:60rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:1.8rem;line-height:1.2;margin:0 0 .25rem}h2{font-size:1.3rem;margin:2.5rem 0 .5rem;border-top:1px solid var(--line);padding-top:1.25rem}
h3{font-size:1.08rem;margin:1.5rem 0 .25rem}p{margin:.4rem 0;max-width:46rem}.soft{color:var(--soft)}
.verdict{border:1px solid var(--line);border-left-width:6px;border-radius:8px;padding:1rem 1.25rem;margin:1rem 0;background:var(--well)}
.verdict h3{margin-top:0}.verdict p{max-width:none}.badge{display:inline-block;font-size:.8rem;font-weight:650;letter-spacing:.04em;border:1px solid currentColor;border-radius:99px;padding:.1rem .7rem;margin-right:.5rem}
.beats{border-left-color:var(--good)}.beats .badge{color:var(--good)}.hurts{border-left-color:var(--bad)}.hurts .badge{color:var(--bad)}
.ties{border-left-color:var(--same)}.ties .badge{color:var(--same)}.inconclusive{border-left-color:var(--open)}.inconclusive .badge{color:var(--open)}
.first{font-size:1.1rem;font-weight:600}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));gap:1.25rem 2rem}
figure{margin:.5rem 0;break-inside:avoid;min-width:0}figcaption{font-weight:600;font-size:.95rem;margin-bottom:.25rem}svg{width:100%;max-width:30rem;height:auto;display:block}
svg text{fill:var(--ink);font-size:12px}svg .tick,svg .axis{fill:var(--soft);font-size:11.5px}.grid{stroke:var(--line)}.zero{stroke:var(--soft);stroke-dasharray:4 4}
.teacher{color:var(--teacher)}.baseline{color:var(--baseline)}.placebo{color:var(--placebo)}.plain{color:var(--plain)}.student{color:var(--student)}
.bar{stroke:currentColor;stroke-width:2.5;stroke-linecap:round;opacity:.75}.mark{fill:currentColor;stroke:none}path.mark{stroke:currentColor;stroke-width:3;fill:none}
.single{fill:currentColor;opacity:.55}.curve{fill:none;stroke:currentColor;stroke-width:2}
.table{overflow-x:auto;margin:.75rem 0}table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums;min-width:100%}
caption{text-align:left;font-weight:600;padding-bottom:.35rem}th,td{text-align:left;overflow-wrap:break-word;padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
thead th{color:var(--soft);font-weight:600;white-space:nowrap}tbody th{font-weight:600;min-width:8.5rem}.numbers td{white-space:nowrap}
pre{background:var(--well);border:1px solid var(--line);border-radius:8px;padding:.75rem 1rem;font:.82rem/1.45 "Source Code Pro","Noto Sans Mono",ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
dt{font-weight:650;margin-top:.5rem}dd{margin:0;max-width:46rem}ul{padding-left:1.2rem;margin:.4rem 0}li{max-width:46rem}
a{color:var(--link)}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
@page{size:A4;margin:16mm 14mm}
@media print{:root{color-scheme:light;--paper:#fff;--ink:#000;--soft:#444;--line:#ccc;--well:#fff;
--teacher:#0072b2;--baseline:#6f6f6f;--placebo:#8457ad;--plain:#b12a7c;--student:#c45400;--good:#1b7a3d;--bad:#b3261e;--open:#8a5a00;--same:#1f5f99}
body{font-size:10.5pt}main{max-width:none;padding:0}h2{break-after:avoid}h3{break-after:avoid}.verdict,tr,dt{break-inside:avoid}dt{break-after:avoid}
.charts{grid-template-columns:1fr 1fr;gap:.5rem 1rem}.table{overflow:visible}table{font-size:8.5pt}td,th{padding-right:.5rem}tbody th{min-width:0}.numbers td{white-space:normal}pre{font-size:7.5pt;border-color:#ccc}}
"""
