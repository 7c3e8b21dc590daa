// Drawings of one table of rows by D3, as SVG: every point is a link to its run, so that it can be reached by keys, and has words.

const SIZE = { width: 460, height: 340, left: 58, right: 18, top: 14, bottom: 44 };
const SHAPES = [d3.symbolCircle, d3.symbolSquare, d3.symbolDiamond, d3.symbolTriangle, d3.symbolCross, d3.symbolStar, d3.symbolWye];
const COLOURS = 7; // classes of the style sheet
const NAMES = 14; // rows whose names stand beside their points
const number = d3.format(".4~g");

// Axes over the values of all marks; `x` and `y` have a title, and `x` a `format` where its numbers are long.
function frame(x, y, words) {
  const svg = d3.create("svg").attr("viewBox", `0 0 ${SIZE.width} ${SIZE.height}`).attr("role", "group").attr("aria-label", words).attr("class", "plot");
  const across = scale(x, [SIZE.left, SIZE.width - SIZE.right]);
  const up = scale(y, [SIZE.height - SIZE.bottom, SIZE.top]);
  const axes = svg.append("g").attr("class", "axes").attr("aria-hidden", "true");
  axes.append("g").attr("transform", `translate(0,${SIZE.height - SIZE.bottom})`).call(d3.axisBottom(across).ticks(5, x.format));
  axes.append("g").attr("transform", `translate(${SIZE.left},0)`).call(d3.axisLeft(up).ticks(6));
  axes.append("text").attr("class", "title").attr("x", (SIZE.left + SIZE.width - SIZE.right) / 2).attr("y", SIZE.height - 8).attr("text-anchor", "middle").text(x.title);
  axes.append("text").attr("class", "title").attr("transform", `translate(14,${(SIZE.height - SIZE.bottom) / 2}) rotate(-90)`).attr("text-anchor", "middle").text(y.title);
  for (const [at, zero] of [[across, x.zero], [up, y.zero]]) {
    if (!zero) continue;
    const line = axes.append("line").attr("class", "zero");
    if (at === across) line.attr("x1", across(0)).attr("x2", across(0)).attr("y1", SIZE.top).attr("y2", SIZE.height - SIZE.bottom);
    else line.attr("y1", up(0)).attr("y2", up(0)).attr("x1", SIZE.left).attr("x2", SIZE.width - SIZE.right);
  }
  return { svg, across, up };
}

function scale(axis, range) {
  const values = axis.values.filter(Number.isFinite);
  let [low, high] = d3.extent(axis.zero ? [0, ...values] : values);
  if (low === high) [low, high] = [low - 1, high + 1];
  const margin = 0.08 * (high - low);
  return d3.scaleLinear().domain([low - margin, high + margin]).range(range);
}

// A link to a run, beside whatever else is chosen.
const linked = (svg, to, kind, words) =>
  svg.append("a").datum(to).attr("href", state.address(to)).attr("class", `mark ${kind}`).attr("aria-label", words);

// A drawing stays where another choice does not change it, and only its links are told.
const relink = (place) => d3.select(place).selectAll("a").attr("href", (to) => state.address(to));

// Points with the arms of their intervals; `x` and `y` are value, low and high.
function drawPoints({ svg, across, up }, marks) {
  const taken = [];
  for (const mark of marks) {
    const [x, y] = [across(mark.x[0]), up(mark.y[0])];
    const point = linked(svg, mark.to, mark.look.colour, mark.words);
    point.append("title").text(mark.words);
    if (known(mark.x)) point.append("line").attr("class", "arm").attr("x1", across(mark.x[1])).attr("x2", across(mark.x[2])).attr("y1", y).attr("y2", y);
    if (known(mark.y)) point.append("line").attr("class", "arm").attr("x1", x).attr("x2", x).attr("y1", up(mark.y[1])).attr("y2", up(mark.y[2]));
    point.append("path").attr("d", d3.symbol().type(mark.look.shape).size(70)()).attr("transform", `translate(${x},${y})`);
    if (marks.length <= NAMES) nameBeside(point, mark.label, x, y, taken);
    taken.push([x - 6, y - 6, x + 6, y + 6]);
  }
}

const known = ([, low, high]) => low !== null && high !== null && low !== undefined && high !== undefined;

// The name at the first place around its point where nothing stands yet.
function nameBeside(point, label, x, y, taken) {
  const width = 6.2 * label.length;
  const places = [[8, -7], [8, 13], [-8 - width, -7], [-8 - width, 13], [-width / 2, -16], [-width / 2, 24], [8, -22], [8, 28]];
  const box = ([dx, dy]) => [x + dx, y + dy - 9, x + dx + width, y + dy + 3];
  const free = ([left, top, right, bottom]) => left > SIZE.left && right < SIZE.width && top > 0 && bottom < SIZE.height - SIZE.bottom &&
    taken.every(([l, t, r, b]) => right < l || left > r || bottom < t || top > b);
  const place = places.find((each) => free(box(each)));
  if (!place) return;
  taken.push(box(place));
  point.append("text").attr("x", x + place[0]).attr("y", y + place[1]).text(label);
}

// The marks that none is at least as good as in both, and better in one; `signs` are 1 where more is better and -1 where less is.
function unbeaten(marks, signs) {
  const better = (a, b) => signs[0] * a.x[0] >= signs[0] * b.x[0] && signs[1] * a.y[0] >= signs[1] * b.y[0] && (a.x[0] !== b.x[0] || a.y[0] !== b.y[0]);
  return marks.filter((mark) => !marks.some((other) => better(other, mark)));
}

const way = (across, up) => d3.line().x((place) => across(place[0])).y((place) => up(place[1]));

function drawFrontier({ svg, across, up }, marks, curve) {
  const places = marks.map((mark) => [mark.x[0], mark.y[0]]).sort((a, b) => a[0] - b[0]);
  svg.append("path").attr("class", "frontier").attr("aria-hidden", "true").attr("d", way(across, up).curve(curve)(places));
}

// Lines through their places, each a link, with its name at its end.
function drawLines({ svg, across, up }, lines) {
  const taken = [];
  for (const { places, to, look, words, label } of lines) {
    const link = linked(svg, to, look.colour, words);
    link.append("title").text(words);
    link.append("path").attr("class", "way").attr("d", way(across, up)(places));
    for (const [x, y] of places) link.append("circle").attr("r", 2.2).attr("cx", across(x)).attr("cy", up(y));
    const [x, y] = places[places.length - 1];
    if (lines.length <= NAMES) nameBeside(link, label, across(x), up(y), taken);
  }
}

// Differences of one row from the others, with their intervals: what is filled differs by more than chance.
function drawForest(pairs, unit, words) {
  const height = 60 + 24 * pairs.length;
  const left = 150;
  const svg = d3.create("svg").attr("viewBox", `0 0 ${SIZE.width} ${height}`).attr("role", "group").attr("aria-label", words).attr("class", "plot");
  const across = scale({ values: pairs.flatMap((pair) => pair.x), zero: true }, [left, SIZE.width - SIZE.right]);
  const axes = svg.append("g").attr("class", "axes").attr("aria-hidden", "true");
  axes.append("g").attr("transform", `translate(0,${height - 44})`).call(d3.axisBottom(across).ticks(5));
  axes.append("text").attr("class", "title").attr("x", (left + SIZE.width) / 2).attr("y", height - 8).attr("text-anchor", "middle").text(unit);
  axes.append("line").attr("class", "zero").attr("x1", across(0)).attr("x2", across(0)).attr("y1", 4).attr("y2", height - 44);
  pairs.forEach((pair, place) => {
    const y = 16 + 24 * place;
    const link = linked(svg, pair.to, pair.significant ? "colour-0" : "open", pair.words);
    link.append("title").text(pair.words);
    link.append("text").attr("x", left - 10).attr("y", y + 4).attr("text-anchor", "end").text(pair.label.length > 22 ? `${pair.label.slice(0, 21)}…` : pair.label);
    if (known(pair.x)) link.append("line").attr("class", "arm").attr("x1", across(pair.x[1])).attr("x2", across(pair.x[2])).attr("y1", y).attr("y2", y);
    link.append("path").attr("d", d3.symbol().type(d3.symbolSquare).size(60)()).attr("transform", `translate(${across(pair.x[0])},${y})`);
  });
  return svg.node();
}

function looksOf(lines) {
  const names = [...new Set(lines.map((line) => line.label))].sort(byWords.compare);
  return new Map(names.map((name, place) => [name, { colour: `colour-${place % COLOURS}`, shape: SHAPES[(place + Math.floor(place / COLOURS)) % SHAPES.length] }]));
}
