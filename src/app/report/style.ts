/** @file How the page looks: light, dark and on paper. Colours after Okabe and Ito, told apart without red and green. */

const light = `--paper:#fbfaf7;--card:#ffffff;--ink:#1d2228;--soft:#59616b;--faint:#6d747d;--line:#e3e0d8;--grid:#ebe8e1;
--calm:#0067a5;--hot:#c4500a;--quiet:#6d747d;--odd:#8d4f86;--warn-bg:#fdf3e4;--warn-line:#e9c48b;--full:#fff;
--t0:#0072b2;--t1:#d55e00;--t2:#008562;--t3:#b0588c;--t4:#b07a00;--t5:#3a96cc;--shadow:0 1px 2px rgba(30,30,20,.05),0 4px 16px rgba(30,30,20,.05);`;
const dark = `--paper:#14171b;--card:#1c2026;--ink:#e9e7e2;--soft:#a5abb4;--faint:#7f868f;--line:#2f353d;--grid:#272c33;
--calm:#5db3ea;--hot:#f0945a;--quiet:#8f96a0;--odd:#cf9ac9;--warn-bg:#2a2318;--warn-line:#6b5226;--full:#101317;
--t0:#56a9e0;--t1:#f08a4b;--t2:#3cc39a;--t3:#dd95bf;--t4:#e2b34a;--t5:#8fd0f5;--shadow:none;`;

const base = `*{box-sizing:border-box}
[hidden]{display:none!important}
html{scroll-behavior:smooth;scroll-padding-top:5rem;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 -apple-system,BlinkMacSystemFont,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:break-word}
main{max-width:1080px;margin:0 auto;padding:0 1.5rem}
section{padding:3.5rem 0 0}
h1,h2{font-family:Charter,"Bitstream Charter","Sitka Text",Cambria,Georgia,"Liberation Serif",serif;font-weight:600;letter-spacing:-.012em;text-wrap:balance}
.hero .name{white-space:nowrap}
h1{font-size:clamp(1.65rem,1.1rem + 2.4vw,2.7rem);line-height:1.18;margin:.4rem 0 1.6rem;max-width:24em}
h2{font-size:1.65rem;line-height:1.2;margin:0 0 1.1rem;padding-top:1.4rem;border-top:1px solid var(--line)}
h3{font-size:.95rem;margin:2rem 0 .5rem}
p{max-width:44em;margin:.5rem 0}
a{color:var(--calm)}
.kicker,.note,.meta,.lead,.hint,figcaption,caption,.none{color:var(--soft)}
.kicker{margin:0;font-size:.95rem}
.lead{margin:-.6rem 0 1.4rem}
.note,.hint,figcaption,caption,.none{font-size:.86rem}
:focus-visible{outline:2px solid var(--calm);outline-offset:2px;border-radius:4px}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.5rem;z-index:3;background:var(--card);padding:.4rem .8rem}
.top{position:sticky;top:0;z-index:2;background:var(--paper);border-bottom:1px solid var(--line);display:flex;gap:.3rem 2rem;align-items:baseline;justify-content:space-between;flex-wrap:wrap;padding:.7rem max(1.5rem,calc((100vw - 1080px)/2 + 1.5rem));font-size:.88rem}
.top div{display:flex;gap:.8rem;align-items:baseline}.top time,.top span{color:var(--soft)}
nav{display:flex;gap:1.15rem;overflow-x:auto;scrollbar-width:none;white-space:nowrap}
nav a{color:var(--soft);text-decoration:none;padding:.15rem 0}nav a:hover{color:var(--ink)}
.hero{padding-top:3.2rem}.already{font-size:1.15rem;color:var(--soft);margin:-.8rem 0 1.8rem}
.banners{list-style:none;margin:0 0 2rem;padding:0;display:grid;gap:.5rem;font-size:.92rem}
.banners li{border-left:3px solid var(--line);padding:.3rem .9rem;color:var(--soft);max-width:60em}
.banners b{color:var(--ink)}
.banners .warn{border-color:var(--warn-line);background:var(--warn-bg);color:var(--ink)}
.figures{display:grid;grid-template-columns:repeat(4,1fr);gap:0;margin:0;border-top:1px solid var(--line);border-bottom:1px solid var(--line)}
.figure{padding:1.2rem 1.4rem 1.2rem 0;}
.figure+.figure{border-left:1px solid var(--line);padding-left:1.4rem}
.figure dt{font-size:.86rem;color:var(--soft);line-height:1.35;min-height:2.7em}
.figure dd{margin:.5rem 0 0}
.figure strong{display:block;font-size:2.1rem;font-weight:600;letter-spacing:-.02em;line-height:1.15}
.figure span{font-size:.82rem;color:var(--soft);line-height:1.35;display:block}
.range{position:relative;height:6px;border-radius:3px;background:var(--grid);margin:.55rem 0 .6rem}
.range i{position:absolute;top:0;bottom:0;border-radius:3px;opacity:.38;background:var(--tone)}
.range b{position:absolute;top:-3px;height:12px;width:3px;margin-left:-1.5px;border-radius:2px;background:var(--tone)}
.calm{--tone:var(--calm)}.hot{--tone:var(--hot)}
.scroll{overflow-x:auto;max-width:100%;background:linear-gradient(to left,var(--paper) 40%,transparent) right/3rem 100% no-repeat local,linear-gradient(to left,var(--line),transparent) right/1rem 100% no-repeat scroll}
table{border-collapse:collapse;font-size:.88rem}
caption{text-align:left;padding:0 0 .6rem}
th,td{padding:.42rem .7rem;text-align:right;border-bottom:1px solid var(--line);vertical-align:baseline}
th{font-weight:500}thead th{color:var(--soft);vertical-align:bottom}
.cells{width:100%;min-width:1040px}.cells th[scope=row],.cells .text{text-align:left;position:sticky;left:0;background:var(--paper);padding-left:0}
.cells td,.cells th[scope=row]{white-space:nowrap}.cells tfoot th,.cells tfoot td{font-weight:600}.cells tfoot small{font-weight:400}.cells small{display:block;color:var(--faint);font-size:.76rem;line-height:1.2}
.cells th button{all:unset;cursor:pointer;font-size:.8rem;line-height:1.25}.cells th button:focus-visible{outline:2px solid var(--calm);outline-offset:2px}
.cells th[aria-sort] button{color:var(--ink)}.cells th[aria-sort=ascending] button::after{content:" ↑"}.cells th[aria-sort=descending] button::after{content:" ↓"}
.study{margin:0 0 2rem}.study th[scope=row],.study th:first-child{text-align:left;padding-left:0}.study small{display:block;color:var(--faint);font-size:.76rem;line-height:1.2;white-space:nowrap}
.facts{width:100%}.facts th{text-align:left;color:var(--soft);font-weight:400;padding-left:0;width:11rem}.facts td{text-align:left;padding-right:0;overflow-wrap:anywhere}
.inputs th,.inputs td,.audit th,.audit td{text-align:left}.inputs th:first-child,.audit th:first-child{padding-left:0}.inputs{margin-top:2rem}.audit .raised td:nth-child(2){color:var(--hot);font-weight:600}
.methods cite{color:var(--soft);font-style:normal;font-size:.84rem}
.columns{display:grid;grid-template-columns:1fr 1fr;gap:0 3rem}.columns ul{padding-left:1.1rem;margin:.3rem 0;font-size:.88rem}
.hash{font-size:.78rem}
code,pre,kbd{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
pre{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:1rem 1.2rem;overflow-x:auto;font-size:.84rem;line-height:1.5;margin:.6rem 0}
kbd{font-size:.78rem;border:1px solid var(--line);border-bottom-width:2px;border-radius:4px;padding:0 .35em;background:var(--card)}
.definitions{display:grid;grid-template-columns:1fr 1fr;gap:1.2rem 3rem;margin:0}.definitions dt{font-weight:600}.definitions dd{margin:.15rem 0 0;color:var(--soft);font-size:.93rem}
footer{max-width:1080px;margin:4rem auto 0;padding:1.2rem 1.5rem 3rem;color:var(--faint);font-size:.84rem}`;

const charts = `.chart{margin:0 0 2.4rem}.chart svg{display:block;width:100%;height:auto;overflow:visible}.chart figcaption{margin-top:.6rem;max-width:52em}
.narrow{display:none}
svg text{font-family:inherit;font-size:12px;fill:var(--soft)}svg .axis{fill:var(--soft)}
.grid{stroke:var(--grid);stroke-width:1}
.chance line{stroke:var(--faint);stroke-dasharray:2 4}.chance text{fill:var(--faint);stroke:var(--paper);stroke-width:4;paint-order:stroke}
.series{--c:var(--soft)}.series polyline{fill:none;stroke:var(--c);stroke-width:1.8;stroke-linejoin:round}
.series .point>:not(.hit){fill:var(--c);stroke:var(--paper);stroke-width:1.2}.series .point .open{fill:none;stroke:var(--c);stroke-width:2.2}
.hit{fill:transparent}.series .band{fill:var(--c);opacity:0;transition:opacity .15s}
.shaded .band{opacity:.13}.series:hover .band,.series:focus .band{opacity:.16}.series:focus{outline:none}.series:hover polyline,.series:focus polyline{stroke-width:3}
.series .name{fill:var(--c);font-weight:500}.leader{stroke:var(--c);stroke-width:1;fill:none;opacity:.45}
.worst{--c:var(--ink)}.worst polyline,.worst:hover polyline,.worst:focus polyline{stroke-width:5.5;stroke-linecap:round}.worst .name{font-weight:700}.worst .band{opacity:.11}
.bold{--c:var(--ink)}.bold polyline,.bold:hover polyline,.bold:focus polyline{stroke-width:3.6}.bold .name{font-weight:700}.bold .band{opacity:.11}
.reference{--c:var(--quiet)}.reference polyline{stroke-dasharray:6 4}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,28rem),1fr));gap:0 2.4rem;margin-top:1.6rem}.charts>div{min-width:0;max-width:44rem}.charts.one>div{max-width:none}.charts h3{margin-top:.6rem}
.control{--c:var(--quiet)}.control polyline{stroke-dasharray:6 4}.control .band{opacity:.12}
.tone-0{--c:var(--t0)}.tone-1{--c:var(--t1)}.tone-2{--c:var(--t2)}.tone-3{--c:var(--t3)}.tone-4{--c:var(--t4)}.tone-5{--c:var(--t5)}
.signal{display:block;width:100%;height:100%}.signal path{fill:var(--hot);stroke:var(--hot);stroke-width:1}.signal .original{fill:var(--calm);stroke:var(--calm)}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:1.5rem 3rem;margin-top:1.2rem}.pair.stacked{grid-template-columns:1fr}
.confusion{width:100%;table-layout:fixed;font-size:.84rem;border-collapse:separate;border-spacing:2px;min-width:19rem}
.confusion caption{color:var(--ink);font-weight:600;font-size:.95rem}
.confusion th,.confusion td{border:0;padding:.2rem;overflow:hidden;text-overflow:ellipsis}.confusion thead th{font-weight:400;text-align:center;height:5.2rem;padding-bottom:.4rem}.confusion thead th span{display:inline-block;writing-mode:vertical-rl;transform:rotate(180deg);font-size:.8rem;line-height:1.2;max-height:7rem;overflow:hidden;white-space:nowrap}.confusion tbody th{vertical-align:middle;font-size:.8rem;font-weight:400;color:var(--soft);padding-right:.5rem}
.confusion tr>:first-child{width:5.4rem}
.confusion tbody td{height:2.5rem;text-align:center;vertical-align:middle;border-radius:4px;background:color-mix(in srgb,var(--tone) calc(var(--v)*100%),var(--grid))}
.confusion .right{--tone:var(--calm)}.confusion .wrong{--tone:var(--hot)}.confusion .full{color:var(--full)}
.confusion thead td{background:none}
.stacked .confusion{min-width:60rem}.stacked .confusion tr>:first-child{width:11rem}.stacked .confusion tbody th{white-space:nowrap}.stacked .confusion tbody td{height:1.35rem;font-size:.72rem;padding:0;border-radius:2px}.stacked .confusion thead th{height:8.5rem}.stacked .confusion thead th span{font-size:.72rem;max-height:8rem}.stacked .confusion{border-spacing:1px}`;

const drill = `.controls{display:flex;flex-wrap:wrap;gap:.7rem 1.2rem;align-items:end;margin:0 0 1rem}
.controls label{font-size:.8rem;color:var(--soft);display:grid;gap:.2rem}
select,input,.segments button,.quiet{font:inherit;font-size:.9rem;color:var(--ink);background:var(--card);border:1px solid var(--line);border-radius:7px;padding:.38rem .65rem;min-height:2.4rem}
.search{flex:1;min-width:11rem}.search input{width:100%}
.segments{display:flex}.segments button{border-radius:0;margin-left:-1px;cursor:pointer;color:var(--soft)}.segments button:first-child{border-radius:7px 0 0 7px;margin:0}.segments button:last-child{border-radius:0 7px 7px 0}
.segments button[aria-pressed=true]{background:var(--ink);color:var(--paper);border-color:var(--ink)}.segments span{font-size:.8rem;opacity:.75}
.fooled{--s:var(--hot)}.held{--s:var(--calm)}.skipped{--s:var(--faint)}.invalid{--s:var(--odd)}
.dots i,.key i,.chooser button{display:inline-block;width:.62rem;height:.62rem;border-radius:50%;border:1.5px solid var(--s,transparent);padding:0}
i.fooled,.chooser .fooled{background:var(--s)}i.skipped,.chooser .skipped{border-style:dashed}i.invalid,.chooser .invalid{border-radius:1px;background:linear-gradient(135deg,transparent 42%,var(--s) 42% 58%,transparent 58%)}
.key i{margin:0 .15rem 0 .7rem}.key i:first-child{margin-left:0}
.cards{list-style:none;margin:0;padding:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(11rem,1fr));gap:1rem}
.card{all:unset;box-sizing:border-box;cursor:pointer;display:flex;flex-direction:column;width:100%;height:100%;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:.7rem;box-shadow:var(--shadow);font-size:.84rem;transition:border-color .15s}
.card:hover{border-color:var(--faint)}.card:focus-visible{outline:2px solid var(--calm);outline-offset:2px}
.thumb{display:block;aspect-ratio:1;border-radius:6px;overflow:hidden;background:var(--grid);margin-bottom:.6rem}.thumb img,.pictures img{display:block;width:100%;height:100%;object-fit:contain}
.no-picture{display:grid;place-items:center;height:100%;min-height:5rem;color:var(--faint);font-size:.8rem}
.card-head{display:flex;justify-content:space-between;gap:.5rem;align-items:baseline}.card-head b{font-weight:600;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;min-width:0}
.state{color:var(--s);font-weight:600;font-size:.8rem}
.card-text{display:block;color:var(--soft);margin-bottom:.45rem;min-height:1.5em}.became{color:var(--hot)}
.strip{display:flex;justify-content:space-between;align-items:center;gap:.5rem;font-size:.76rem;color:var(--soft);line-height:1.65}.dots{display:flex;gap:.28rem}
dialog{border:1px solid var(--line);border-radius:14px;background:var(--card);color:var(--ink);padding:1.4rem 1.7rem 1rem;width:min(980px,94vw);max-height:94vh;overflow:auto}
dialog::backdrop{background:rgba(15,17,20,.55)}
dialog header{display:flex;justify-content:space-between;align-items:center;gap:1rem}dialog h2{border:0;padding:0;margin:0;font-size:1.3rem;min-width:0;overflow-wrap:anywhere}dialog h2:focus{outline:none}
.turn{display:flex;gap:.4rem;align-items:center;white-space:nowrap}.quiet{cursor:pointer;min-width:2.4rem}.quiet:disabled{opacity:.35;cursor:default}
.verdict{margin:.3rem 0 1rem;max-width:none;display:flex;flex-wrap:wrap;gap:0 .4rem;color:var(--soft);align-items:baseline}.verdict .state{font-size:1rem}.verdict .arrow{margin-left:auto;color:var(--ink)}.verdict .arrow .meta{font-size:.85rem}
.pictures{display:grid;grid-template-columns:repeat(3,1fr);gap:1rem}.pictures figure{margin:0}.pictures figure>:first-child{aspect-ratio:1;border-radius:8px;background:var(--grid);overflow:hidden;width:100%;height:auto}.pictures figcaption{margin-top:.3rem}
.pictures .change img{image-rendering:pixelated}.instead{grid-column:span 2;display:grid;place-items:center;margin:0;max-width:none;color:var(--soft);border:1px dashed var(--line);border-radius:8px;padding:1rem;text-align:center}
.halves{display:grid;grid-template-columns:1fr 1fr;gap:1rem 2.4rem;margin-top:1.4rem;align-items:start}
.bars{width:100%}.bars th{text-align:left;font-weight:400;padding:.28rem .6rem .28rem 0;width:6.2rem;border:0}.bars td{padding:.28rem 0;border:0}.bars .new th,.bars .old th{font-weight:600}.bars .new th{color:var(--hot)}
.bar{display:flex;align-items:center;gap:.4rem;height:.9rem;width:calc(100% - 3.4rem)}.bar i{height:.6rem;border-radius:2px;min-width:1px;flex:none;background:var(--b)}.bar em{font-style:normal;font-size:.74rem;color:var(--soft)}
.before{--b:var(--calm)}.after{--b:var(--hot)}.legend{float:right}.legend i{display:inline-block;width:.7rem;height:.6rem;border-radius:2px;background:var(--b);margin:0 .3rem 0 .8rem}
.chooser th,.chooser td{padding:.2rem .55rem;border:0;text-align:center}.chooser th[scope=row]{text-align:left;padding-left:0}.chooser button{width:1.5rem;height:1.5rem;cursor:pointer;background-color:transparent}.chooser button.fooled{background:var(--s)}.chooser button[aria-pressed=true]{box-shadow:0 0 0 2px var(--card),0 0 0 4px var(--ink)}
dialog .facts{margin-top:1rem;font-size:.84rem}dialog .facts th{padding-top:.25rem;padding-bottom:.25rem}dialog .facts td{padding-top:.25rem;padding-bottom:.25rem}
.hint{margin:1rem 0 0;text-align:center;max-width:none}`;

const films = `.reel{display:block;overflow:hidden;border-radius:6px;background:var(--grid);aspect-ratio:var(--a)}
.reel img,.thumb .reel img,.pictures .reel img{display:block;height:100%;width:calc(var(--w)*100%);max-width:none;object-fit:fill;image-rendering:pixelated;transform:translateX(calc(var(--k)*-100%/var(--n)))}
.reel.open{overflow-x:auto;aspect-ratio:auto}.reel.open img{width:max(100%,calc(var(--n)*5rem));height:auto;transform:none}
.raster{display:block;width:100%;height:auto;border-radius:6px;background:var(--grid)}
.mark{display:inline-block;width:.62rem;height:.62rem}.mark.added{background:rgb(232,96,10)}.mark.deleted{border:.19rem solid rgb(24,134,214)}
.films{padding:0 0 1.2rem;border-bottom:1px solid var(--line);margin-bottom:1.4rem}.films p{margin:0 0 .6rem}
.films figure{margin:0 0 .6rem}.films figcaption{margin-top:.3rem}
.films.wound .reels,.pictures.wound{display:grid;grid-template-columns:1fr 1fr 1.8fr;gap:0 1rem}
.wound .over-time{display:flex;flex-direction:column}.wound .over-time .raster,.pictures.wound figure>.raster{flex:1;height:0;min-height:6rem;object-fit:fill;aspect-ratio:auto}
.pictures.wound figure>.reel{aspect-ratio:var(--a)}
.player{display:flex;align-items:center;gap:.4rem;flex-wrap:wrap;margin-top:.3rem}.player input{flex:1;min-width:8rem;max-width:22rem;padding:0;border:0;min-height:1.6rem;background:none;accent-color:var(--ink)}.player output{font-size:.86rem;color:var(--soft)}
#flips .inputs{margin-top:0}
.histogram{min-width:30rem}.histogram th[scope=row],.histogram thead th:first-child{text-align:left;padding-left:0}.histogram thead th{font-weight:400;text-align:center}
.histogram td{text-align:center;vertical-align:bottom;height:3.6rem;min-width:3.6rem;padding:0 .2rem .1rem;border-bottom:1px solid var(--line);background:linear-gradient(to top,color-mix(in srgb,var(--tone) 32%,transparent) calc(var(--v)*100%),transparent 0);background-clip:content-box}.histogram .some{--tone:var(--hot)}.histogram .kept{--tone:var(--calm)}`;

const narrow = `@media(max-width:760px){main,footer{padding-left:1.1rem;padding-right:1.1rem}.top{padding:.6rem 1.1rem}section{padding-top:2.4rem}.hero{padding-top:1.8rem}
.figures{grid-template-columns:1fr 1fr}.figure{padding:1rem .9rem 1rem 0}.figure:nth-child(odd){border-left:0;padding-left:0}.figure:nth-child(n+3){border-top:1px solid var(--line)}.figure strong{font-size:1.7rem}
.wide{display:none}.narrow{display:block}.columns,.definitions,.pair,.halves{grid-template-columns:1fr}.films.wound .reels,.pictures.wound{grid-template-columns:1fr 1fr}.wound .over-time{grid-column:1/-1}.wound .over-time .raster,.pictures.wound figure>.raster{flex:none;height:auto}
.cards{grid-template-columns:repeat(auto-fill,minmax(9.4rem,1fr));gap:.7rem}.segments{width:100%}.segments button{flex:1;padding:.38rem .2rem;font-size:.8rem}
dialog{width:100vw;max-width:100vw;height:100dvh;max-height:100dvh;border:0;border-radius:0;padding:1rem 1.1rem}.pictures{gap:.5rem}.verdict .arrow{margin-left:0;width:100%}.hint{display:none}.facts th{width:8rem}}`;

const print = `@media print{:root{color-scheme:light;${light}--paper:#fff}.top,.skip,.controls,dialog,.hint{display:none!important}body{font-size:10.5pt}section{padding-top:1.5rem}main{max-width:none;padding:0}
.cells{min-width:0;font-size:7.5pt}.cells th,.cells td{padding:.25rem .3rem}.cells small{font-size:6.5pt}.scroll{overflow:visible}.card,figure,tr,.figure,.definitions div{break-inside:avoid}h2,h3{break-after:avoid}
.cards{grid-template-columns:repeat(5,1fr)}.card{box-shadow:none}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
@media(prefers-reduced-motion:reduce){html{scroll-behavior:auto}*{transition:none!important}}`;

/** The whole style sheet. */
export const style = [
  `:root{color-scheme:light dark;${light}}`,
  `@media(prefers-color-scheme:dark){:root{${dark}}}`,
  base,
  charts,
  drill,
  films,
  narrow,
  print,
].join('\n');
