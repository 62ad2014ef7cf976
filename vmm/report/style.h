/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_REPORT_STYLE_H
#define VMM_REPORT_STYLE_H

/* The page's only style: light and dark, wide and narrow, and on paper. */
#define PAGE_STYLE                                                                                                     \
	":root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1a2027;--soft:#5b6672;--line:#dfe4ea;"          \
	"--good:#10703c;--good-bg:#e2f4e9;--bad:#b3261e;--bad-bg:#fbe7e5;--warn:#8a5a00;--warn-bg:#fdf1d8;"            \
	"--host:#7b8794;--guest:#c2410c;--boot:#eef1f5;--sealed:#1d5fbf}\n"                                            \
	"@media (prefers-color-scheme:dark){:root{--bg:#12161b;--card:#1a2027;--ink:#e6eaef;--soft:#9aa6b2;"           \
	"--line:#2d3640;--good:#6fd19a;--good-bg:#143524;--bad:#ff8a80;--bad-bg:#41191a;--warn:#f2c063;"               \
	"--warn-bg:#3b2d10;--host:#8794a1;--guest:#ff9457;--boot:#20272f;--sealed:#7fb2ff}}\n"                         \
	"*{box-sizing:border-box}\n"                                                                                   \
	"body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto," \
	"'Helvetica Neue',Arial,'DejaVu Sans',sans-serif}\n"                                                           \
	"main{max-width:64rem;margin:0 auto;padding:2rem 1rem 3rem}\n"                                                 \
	"h1{font-size:1.9rem;line-height:1.2;margin:0 0 .6rem;overflow-wrap:anywhere}\n"                               \
	"h2{font-size:1.1rem;margin:0 0 .8rem}\n"                                                                      \
	"p{margin:.4rem 0}\n.kicker,.note,footer{color:var(--soft);font-size:.875rem}\n"                               \
	"section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1.1rem 1.25rem;"       \
	"margin:1rem 0}\n"                                                                                             \
	".tag{display:inline-block;padding:.1rem .6rem;border-radius:99px;font-size:.85rem;font-weight:600;"           \
	"white-space:nowrap}\n"                                                                                        \
	".good{color:var(--good);background:var(--good-bg)}\n.bad{color:var(--bad);background:var(--bad-bg)}\n"        \
	".warn{color:var(--warn);background:var(--warn-bg)}\n"                                                         \
	".facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));gap:.8rem 1.5rem;margin:0}\n"    \
	".facts div{min-width:0}\ndt{color:var(--soft);font-size:.8rem}\n"                                             \
	"dd{margin:0;overflow-wrap:anywhere}\n"                                                                        \
	"code,.mono{font-family:ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:.92em}\n" \
	".scroll{overflow-x:auto}\n"                                                                                   \
	"table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\n"                               \
	"th,td{text-align:left;padding:.4rem .9rem .4rem 0;border-bottom:1px solid var(--line);vertical-align:top}\n"  \
	"th{font-size:.8rem;font-weight:600;color:var(--soft)}\ntbody th{color:inherit;font-size:1em;"                 \
	"white-space:nowrap}\n"                                                                                        \
	"tbody tr:last-child>*{border-bottom:0}\n.n{text-align:right}\ntr.sum>*{font-weight:600}\n"                    \
	"td:first-child{white-space:nowrap}\ntd.n,th.n{padding-right:.2rem;padding-left:.9rem;white-space:nowrap}\n"   \
	"svg{display:block;width:100%;min-width:40rem;height:auto;font:13px system-ui,sans-serif}\n"                   \
	"svg text{fill:var(--soft)}\n.end{text-anchor:end}\n.mid{text-anchor:middle}\n"                                \
	".boot{fill:var(--boot)}\n.grid{stroke:var(--line);stroke-width:1}\n.axis,.tick{stroke:var(--soft)}\n"         \
	".host{fill:none;stroke:var(--host);stroke-width:1.5}\n.host-area{fill:var(--host);opacity:.18}\n"             \
	".guest{fill:none;stroke:var(--guest);stroke-width:2.5}\n"                                                     \
	".mark{stroke-width:1.5;stroke-dasharray:5 4}\n.mark.sealed{stroke:var(--sealed)}\n"                           \
	".mark.ended{stroke:var(--soft)}.mark.violated{stroke:var(--bad)}\n"                                           \
	"svg text.sealed{fill:var(--sealed);font-weight:600}\nsvg text.ended{font-weight:600}svg "                     \
	"text.violated{fill:var(--bad);font-weight:600}\n"                                                             \
	".key{display:inline-block;width:1.4rem;height:0;border-top:3px solid;margin:0 .4rem .25rem 0}\n"              \
	".key+.key{margin-left:1rem}\n.legend span{margin-right:1.4rem;white-space:nowrap}\n"                          \
	"details{margin-top:.8rem}\nsummary{cursor:pointer;color:var(--soft)}\n"                                       \
	"@media (max-width:40rem){main{padding:1.2rem .7rem 2rem}section{padding:.9rem}h1{font-size:1.5rem}"           \
	".stack thead{display:none}.stack tr{display:block;padding:.5rem 0;border-bottom:1px solid var(--line)}"       \
	".stack tbody tr:last-child{border-bottom:0}.stack td,.stack th{display:block;border:0;padding:.1rem 0}}\n"    \
	"@media print{:root{--bg:#fff}main{max-width:none;padding:0}section{break-inside:avoid;border-color:#bbb}"     \
	"svg{min-width:0}body{font-size:12px}}\n"

#endif
