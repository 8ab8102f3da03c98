// The list of examples: their order, and only as many rows in the document as are seen.

const ROW = 34; // pixels, as in the style sheet
const BEYOND = 12; // rows above and below what is seen
const LONG_ID = 18; // characters
const COLUMNS = {
  id: (example) => example.id,
  status: (example) => STATUSES.indexOf(example.status),
  answer: (example) => example.answer || "",
  target: (example) => example.target || "",
  score: (example) => (example.status === "answered" ? example.score ?? -2 : -1),
};
const collate = new Intl.Collator("en", { numeric: true }).compare;
let shown = []; // the examples that the filters leave, in order
let rows, inner, count;

function makeList() {
  inner = el("div", { class: "inner" });
  const box = { class: "rows", tabindex: "0", role: "listbox", "aria-label": "examples" };
  rows = el("div", { ...box, onscroll: () => drawRows(), onkeydown: onRowsKey }, inner);
  count = el("p", { class: "count", role: "status" });
  filters = el("div", { class: "filters" });
  const heads = Object.keys(COLUMNS).map((name) => button(`head c-${name}`, () => sortBy(name), name, { "data-sort": name }));
  return el("div", { class: "list" }, filters, el("div", { class: "heads" }, heads), rows, count);
}

function sortBy(name) {
  if (state.sort !== name) [state.sort, state.down] = [name, false];
  else if (!state.down) state.down = true;
  else [state.sort, state.down] = ["", false];
  drawList();
}

function drawList(isTyping) {
  const has = state.search ? found(state.search) : null;
  const all = run().examples;
  shown = all.filter((example, place) => fits(example, place, has));
  if (state.sort) shown.sort(inOrder(COLUMNS[state.sort], state.down ? -1 : 1));
  if (!isTyping) drawFilters();
  drawHeads();
  const place = shown.findIndex((example) => example.id === state.open);
  state.at = place >= 0 ? place : Math.min(state.at, Math.max(0, shown.length - 1));
  const of = shown.length === all.length ? "" : `${many(shown.length)} of `;
  count.textContent = of + plural(all.length, "example");
  inner.style.height = `${shown.length * ROW}px`;
  reveal();
  drawRows();
}

function inOrder(valueOf, sign) {
  return (one, other) => {
    const [a, b] = [valueOf(one), valueOf(other)];
    return sign * (isNumber(a) ? a - b : collate(a, b));
  };
}

/** Says by what the list is sorted, and which run of the summary it shows. */
function drawHeads() {
  for (const head of document.querySelectorAll(".heads .head")) {
    const name = head.dataset.sort;
    const order = name === state.sort ? (state.down ? "down" : "up") : "";
    head.dataset.order = order;
    head.setAttribute("aria-label", `sort by ${name}${order && (state.down ? ", falling" : ", rising")}`);
  }
  for (const pick of document.querySelectorAll("#summary .pick"))
    pick.setAttribute("aria-current", String(Number(pick.dataset.run) === state.run));
}

function drawRows(isAll) {
  const first = isAll ? 0 : Math.max(0, Math.floor(rows.scrollTop / ROW) - BEYOND);
  const seenTo = Math.ceil((rows.scrollTop + rows.clientHeight) / ROW) + BEYOND;
  const made = shown.slice(first, isAll ? shown.length : seenTo).map((example, place) => rowOf(example, first + place));
  const nothing = el("p", { class: "hint" }, "No example fits. ", button("link", clearFilters, "Clear the filters"));
  inner.replaceChildren(...(shown.length ? made : [nothing]));
  rows.setAttribute("aria-activedescendant", shown.length ? `row-${state.at}` : "");
}

function rowOf(example, place) {
  const isOpen = example.id === state.open;
  const look = `row s-${example.status}${place === state.at ? " at" : ""}${isOpen ? " open" : ""}`;
  const properties = {
    class: look,
    id: `row-${place}`,
    role: "option",
    style: `top:${place * ROW}px`,
    "aria-selected": String(isOpen),
    "aria-posinset": String(place + 1),
    "aria-setsize": String(shown.length),
    onclick: () => openExample(example.id),
  };
  const cell = (name, text, title) => el("span", { class: `c-${name}`, title, text: harmless(text || "") });
  const instead = example.status === "answered" ? "" : example.status;
  return el(
    "div",
    properties,
    cell("id", shortId(example.id), example.id),
    el("span", { class: "c-status" }, el("i"), example.status),
    cell("answer", example.answer || instead, example.answer),
    cell("target", example.target, example.target),
    scoreCell(example),
  );
}

function scoreCell(example) {
  const result = resultOf(example);
  const isShare = result === "partly";
  const [cause, change] = example.flip || [];
  const flip = change > 0 ? "▲" : change < 0 ? "▼" : "◆";
  return el(
    "span",
    { class: `c-score r-${dashed(result)}`, title: result },
    isShare ? example.score.toFixed(2) : MARKS[result],
    el("span", { class: "unseen", text: result }),
    cause ? el("b", { class: "flip", title: `flipped by ${cause}`, text: flip }) : "",
  );
}

/** Of each run the beginning that all of its ids share, up to a mark, where they are too long for the list. */
const beginnings = data.runs.map(({ examples }) => {
  const ids = examples.map((example) => example.id);
  if (ids.length < 2 || !ids.some((id) => id.length >= LONG_ID)) return "";
  let length = 0;
  while (length < ids[0].length && ids.every((id) => id[length] === ids[0][length])) length++;
  return ids[0].slice(0, length).replace(/[^-_./:]*$/, "");
});

function shortId(id) {
  const beginning = beginnings[state.run];
  return beginning ? `…${id.slice(beginning.length)}` : id;
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

function onRowsKey(event) {
  const page = Math.max(1, Math.floor(rows.clientHeight / ROW) - 1);
  const places = {
    ArrowDown: state.at + 1,
    ArrowUp: state.at - 1,
    Home: 0,
    End: shown.length - 1,
    PageDown: state.at + page,
    PageUp: state.at - page,
  };
  if (!(event.key in places)) return;
  event.preventDefault();
  moveTo(places[event.key]);
}
