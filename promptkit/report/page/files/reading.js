// How an answer was found: the options' scores, the steps that were tried, and what is searched for.

/** Options with their scores; below them what weighing changed. */
function optionsNode(call) {
  const { options } = call;
  const isOther = options.some((option) => isNumber(option[3]));
  const scoreOf = (option) => option[isOther ? 3 : 1];
  const known = options.map(scoreOf).filter(isNumber);
  const [low, top] = [Math.min(...known), Math.max(...known)];
  const share = (value) => (!isNumber(value) ? 0 : top === low ? 100 : 8 + (92 * (value - low)) / (top - low));
  const rows = options.map((option) => {
    const [text, log, num, other] = option;
    const scores = [fixed(log, 3), ...(isOther ? [fixed(other, 3)] : [])];
    return [seen(data.texts[text]), String(num), ...scores, bar(share(scoreOf(option)))];
  });
  const heads = ["option", "#tokens", "#log-likelihood", ...(isOther ? ["#as compared"] : []), ""];
  return el("div", {}, table("options", heads, rows, (place) => options[place][0] === call.text), weighedNode(call));
}

/** How probable each answer is before and after its scores were weighed. */
function weighedNode({ weighed }) {
  if (!weighed) return "";
  const best = (place) => weighed.reduce((a, b) => ((b[place] ?? -1) > (a[place] ?? -1) ? b : a));
  const percent = (value) => (isNumber(value) ? `${(100 * value).toFixed(1)} %` : "");
  const hasBefore = weighed.some((each) => each[1] !== null);
  const rows = weighed.map(([value, before, after]) => [
    harmless(value), ...(hasBefore ? [percent(before)] : []), percent(after), bar(100 * (after || 0)),
  ]);
  const heads = ["answer", ...(hasBefore ? ["#before"] : []), "#after weighing", ""];
  const isChanged = hasBefore && best(1) !== best(2);
  return [
    table("options", heads, rows, (place) => weighed[place] === best(2)),
    isChanged ? caption(`weighing changed the answer from ${harmless(best(1)[0])} to ${harmless(best(2)[0])}`) : "",
  ];
}

/** How the completion was read: a line for each step that was tried. */
function readSection(sample) {
  const rows = (sample.ledger || []).map((entry, place) => triedCells(entry, place, data.texts[sample.text]));
  const isAnswer = sample.status === "answered";
  if (!rows.length && isAnswer) return "";
  const where = sample.span ? `, at ${sample.span[0]}-${sample.span[1]}` : "";
  return section(
    "how it was read",
    isAnswer ? caption(`answered by ${word(sample.step)}${where}; choose a step to see what it read`) : whyNot(sample),
    rows.length
      ? table("ledger", ["step", "#read", "#found", "what, or why not"], rows, (place) => state.tried === place)
      : "",
  );
}

function whyNot(sample) {
  const said = ` at ${word(sample.step)}: ${word(sample.reason)}`;
  return el("p", { class: `why s-${sample.status}` }, el("i"), el("b", { text: sample.status }), said);
}

/** The cells of a step: its name, where it read, where it found something, and what. */
function triedCells(entry, place, text) {
  const [step, readStart, readEnd, start, end] = entry;
  const [name, short, depth] = data.steps[step];
  const choose = () => {
    state.tried = state.tried === place ? null : place;
    drawDetail();
  };
  const more = { title: name, style: `--depth:${depth}`, "aria-pressed": String(state.tried === place) };
  const found = end === undefined ? "" : `${start}-${end}`;
  return [button("pick", choose, short, more), `${readStart}-${readEnd}`, found, foundNode(entry, text)];
}

function foundNode([, readStart, readEnd, start, end, value], text) {
  if (end === undefined) return el("span", { class: "nothing", text: word(start) });
  const isText = value === null || value === undefined;
  if (isText && start === readStart && end === readEnd) return el("span", { class: "origin", text: "all that it read" });
  const at = placesIn(text);
  return el("code", { class: "what", text: seen(isText ? text.slice(at(start), at(end)) : value) });
}

/** Marks what is searched for in the texts of the example. */
function markSearched() {
  if (!window.Highlight) return;
  CSS.highlights.delete("searched");
  const wanted = state.search.toLowerCase();
  if (!wanted) return;
  const isText = (node) => node.parentElement.closest(".text, .fields, th, td");
  const walker = document.createTreeWalker(detail, NodeFilter.SHOW_TEXT, (node) =>
    isText(node) ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_SKIP,
  );
  const ranges = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) ranges.push(...rangesIn(node, wanted));
  CSS.highlights.set("searched", new Highlight(...ranges));
}

function rangesIn(node, wanted) {
  const text = node.textContent.toLowerCase();
  const ranges = [];
  if (text.length !== node.textContent.length) return ranges; // a letter whose small form is longer: places would be off
  for (let place = text.indexOf(wanted); place >= 0; place = text.indexOf(wanted, place + wanted.length)) {
    const range = new Range();
    range.setStart(node, place);
    range.setEnd(node, place + wanted.length);
    ranges.push(range);
  }
  return ranges;
}
