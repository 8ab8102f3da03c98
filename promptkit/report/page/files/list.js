// The list of examples: filters, order, and only as many rows in the document as are seen.

const ROW = 34; // pixels, as in the style sheet
const BEYOND = 12; // rows above and below what is seen
const COLUMNS = [
  ["id", "id", (example) => example.id],
  ["status", "status", (example) => STATUSES.indexOf(example.status)],
  ["answer", "answer", (example) => example.answer || ""],
  ["target", "target", (example) => example.target || ""],
  ["score", "score", (example) => (example.status === "answered" ? example.score ?? -2 : -1)],
];
let shown = []; // the examples that the filters leave, in order
let rows, inner, count, filters;

function makeList() {
  inner = el("div", { class: "inner" });
  rows = el("div", { class: "rows", tabindex: "0", role: "listbox", "aria-label": "examples", onscroll: drawRows, onkeydown: rowsKey }, inner);
  count = el("p", { class: "count", role: "status" });
  filters = el("div", { class: "filters" });
  const heads = COLUMNS.map(([name, label]) =>
    el("button", { type: "button", class: `head c-${name}`, "data-sort": name, onclick: () => sortBy(name), text: label }));
  return el("div", { class: "list" }, filters, el("div", { class: "heads" }, heads), rows, count);
}

function sortBy(name) {
  if (state.sort !== name) [state.sort, state.down] = [name, false];
  else if (!state.down) state.down = true;
  else [state.sort, state.down] = ["", false];
  drawList();
}

/** The filters, each with how many examples of the run it leaves by itself. */
function drawFilters() {
  const examples = run().examples;
  const tally = (of) => {
    const counts = new Map();
    for (const example of examples) for (const value of new Set(of(example))) counts.set(value, (counts.get(value) || 0) + 1);
    return counts;
  };
  const results = tally((example) => [resultOf(example)]);
  const chips = ["right", "partly", "wrong", "no answer", "no target"].filter((name) => results.get(name)).map((name) =>
    el("button", { type: "button", class: `chip r-${name.replace(" ", "-")}`, "aria-pressed": String(state.result === name), onclick: () => filterBy("result", state.result === name ? "" : name) },
      MARKS[name] ? `${MARKS[name]} ` : "", name, " ", el("b", { text: many(results.get(name)) })));
  const search = el("input", { type: "search", id: "search", placeholder: "search  /", "aria-label": "search ids, answers, prompts and completions", value: state.search, oninput: (event) => filterBy("search", event.target.value) });
  const steps = tally(stepsOf);
  const flips = tally((example) => (example.flip ? flipNames(example.flip) : []));
  filters.replaceChildren(
    data.runs.length > 1 ? select("run", "run", data.runs.map((each, place) => [String(place), `${each.label}${data.runs.length > 2 ? "" : `: ${each.name}`}`])) : "",
    search, el("span", { class: "chips" }, chips),
    select("status", "any status", counted(tally(statusesOf)), "status"),
    steps.size > 1 ? select("step", "any step", counted(steps), "step that answered, or stopped") : "",
    flips.size ? select("flip", "flipped or not", counted(flips), "flips against run 1") : "");
}

/** The beginning that all ids of a run share, up to a mark, where they are too long for the list. */
const shared = data.runs.map(({ examples }) => {
  const ids = examples.map((example) => example.id);
  if (ids.length < 2 || Math.max(...ids.map((id) => id.length)) < 18) return "";
  let length = 0;
  while (length < ids[0].length && ids.every((id) => id[length] === ids[0][length])) length++;
  return ids[0].slice(0, length).replace(/[^-_./:]*$/, "");
});

const flipNames = ([cause, change]) => ["any flip", change > 0 ? "better" : change < 0 ? "worse" : "another answer", `by ${cause}`];

const counted = (counts) => [...counts].map(([name, number]) => [name, `${name} ${many(number)}`]);

function select(name, any, options, label) {
  const first = name === "run" ? [] : [el("option", { value: "", text: any })];
  const node = el("select", { name, "aria-label": label || any, onchange: (event) => filterBy(name, event.target.value) },
    first, options.map(([value, text]) => el("option", { value, text })));
  node.value = String(state[name]);
  return node;
}

function filterBy(name, value) {
  if (name === "run") {
    Object.assign(state, { run: Number(value), result: "", status: "", step: "", flip: "", sample: 0, tried: null });
    if (state.open !== null && !byId[state.run].has(state.open)) closeExample();
  } else state[name] = value;
  state.at = 0;
  drawList(name === "search");
  if (name === "run" && state.open !== null) drawDetail();
  if (name === "search" && state.open !== null) markSearched();
}

function fits(example, place, has) {
  return (!state.result || resultOf(example) === state.result)
    && (!state.status || statusesOf(example).includes(state.status))
    && (!state.step || stepsOf(example).has(state.step))
    && (!state.flip || (example.flip && flipNames(example.flip).includes(state.flip)))
    && (!has || has[place]);
}

function drawList(isTyping) {
  const has = state.search ? found(state.search) : null;
  shown = run().examples.filter((example, place) => fits(example, place, has));
  const column = COLUMNS.find(([name]) => name === state.sort);
  if (column) {
    const value = column[2], sign = state.down ? -1 : 1;
    const compare = new Intl.Collator("en", { numeric: true }).compare;
    const less = (a, b) => (typeof value(a) === "number" ? value(a) - value(b) : compare(value(a), value(b)));
    shown.sort((a, b) => sign * less(a, b));
  }
  if (!isTyping) drawFilters();
  for (const pick of document.querySelectorAll("#summary .pick")) {
    if (Number(pick.dataset.run) === state.run) pick.setAttribute("aria-current", "true");
    else pick.removeAttribute("aria-current");
  }
  for (const head of document.querySelectorAll(".heads .head")) {
    const isBy = head.dataset.sort === state.sort;
    head.setAttribute("aria-label", `sort by ${head.dataset.sort}${isBy ? (state.down ? ", falling" : ", rising") : ""}`);
    head.dataset.order = isBy ? (state.down ? "down" : "up") : "";
  }
  const place = shown.findIndex((example) => example.id === state.open);
  state.at = place >= 0 ? place : Math.min(state.at, Math.max(0, shown.length - 1));
  count.textContent = shown.length === run().examples.length ? plural(shown.length, "example") : `${many(shown.length)} of ${plural(run().examples.length, "example")}`;
  inner.style.height = `${shown.length * ROW}px`;
  reveal();
  drawRows();
}

function drawRows(isAll) {
  const first = isAll === true ? 0 : Math.max(0, Math.floor(rows.scrollTop / ROW) - BEYOND);
  const last = isAll === true ? shown.length : Math.min(shown.length, Math.ceil((rows.scrollTop + rows.clientHeight) / ROW) + BEYOND);
  const made = [];
  for (let place = first; place < last; place++) made.push(rowOf(shown[place], place));
  const clear = () => { Object.assign(state, { result: "", status: "", step: "", flip: "", search: "" }); drawList(); };
  inner.replaceChildren(...made, shown.length ? "" : el("p", { class: "hint" }, "No example fits. ", el("button", { type: "button", class: "link", onclick: clear, text: "Clear the filters" })));
  rows.setAttribute("aria-activedescendant", shown.length ? `row-${state.at}` : "");
}

function rowOf(example, place) {
  const result = resultOf(example);
  const flip = example.flip ? (example.flip[1] > 0 ? "▲" : example.flip[1] < 0 ? "▼" : "◆") : "";
  const isShort = example.score !== undefined && example.score !== null && example.score > 0 && example.score < 1;
  return el("div", {
    class: `row s-${example.status}${place === state.at ? " at" : ""}${example.id === state.open ? " open" : ""}`,
    id: `row-${place}`, role: "option", style: `top:${place * ROW}px`, "aria-selected": String(example.id === state.open),
    "aria-posinset": String(place + 1), "aria-setsize": String(shown.length), onclick: () => openExample(example.id),
  },
    el("span", { class: "c-id", title: example.id, text: harmless((shared[state.run] ? "…" : "") + example.id.slice(shared[state.run].length)) }),
    el("span", { class: "c-status" }, el("i"), example.status),
    el("span", { class: "c-answer", text: harmless(example.answer || "") || (example.status === "answered" ? "" : example.status), title: example.answer || "" }),
    el("span", { class: "c-target", text: harmless(example.target || ""), title: example.target || "" }),
    el("span", { class: `c-score r-${result.replace(" ", "-")}`, title: result }, isShort ? example.score.toFixed(2) : MARKS[result],
      el("span", { class: "unseen", text: result }), flip ? el("b", { class: "flip", title: `flipped by ${example.flip[0]}`, text: flip }) : ""));
}

/** Scrolls the list so that the row at hand is seen. */
function reveal() {
  const top = state.at * ROW;
  if (top < rows.scrollTop) rows.scrollTop = top;
  else if (top + ROW > rows.scrollTop + rows.clientHeight) rows.scrollTop = top + ROW - rows.clientHeight;
}

function moveTo(place) {
  if (!shown.length) return;
  state.at = Math.max(0, Math.min(shown.length - 1, place));
  reveal();
  drawRows();
  if (state.open !== null) openExample(shown[state.at].id);
}

function rowsKey(event) {
  const page = Math.max(1, Math.floor(rows.clientHeight / ROW) - 1);
  const to = { ArrowDown: state.at + 1, ArrowUp: state.at - 1, Home: 0, End: shown.length - 1, PageDown: state.at + page, PageUp: state.at - page }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  moveTo(to);
}
