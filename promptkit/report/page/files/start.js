// Opening and closing, links to examples, and keys.

const PRINTED = 1000; // rows of the list that are printed whole

function openExample(id, isLink) {
  if (id !== state.open) [state.sample, state.tried] = [null, null];
  const isFirst = state.open === null;
  state.open = id;
  const place = shown.findIndex((example) => example.id === id);
  if (place >= 0) state.at = place;
  const hash = `#${encodeURIComponent(id)}`;
  if (!isLink && location.hash !== hash) history[isFirst ? "pushState" : "replaceState"](null, "", hash);
  reveal();
  drawRows();
  drawDetail();
  const top = detail.getBoundingClientRect().top;
  if (isFirst || isLink || top < 0) detail.scrollIntoView({ block: "start" });
}

function closeExample() {
  state.open = null;
  history.replaceState(null, "", location.pathname + location.search);
  drawDetail();
  drawRows();
  rows.focus({ preventScroll: true });
}

function toggleSpace() {
  state.visible = !state.visible;
  drawDetail();
}

/** Opens the example that the address names, also where the filters would not show it. */
function followLink() {
  let id = location.hash.slice(1);
  try {
    id = decodeURIComponent(id);
  } catch {
    return; // a stray % in an address that somebody typed
  }
  if (!id && state.open !== null) closeExample();
  if (!id || id === "examples" || id === state.open) return;
  if (!byId[state.run].has(id)) {
    const other = byId.findIndex((examples) => examples.has(id));
    if (other < 0) return;
    state.run = other;
    drawList();
  }
  if (!shown.some((example) => example.id === id)) clearFilters();
  openExample(id, true);
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { tagName, type, id } = event.target;
  const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(tagName) && type !== "checkbox";
  if (event.key === "Escape") {
    if (isTyping) event.target.blur();
    else if (state.open !== null) closeExample();
  } else if (isTyping) {
    if (event.key === "Enter" && id === "search") rows.focus();
  } else if (event.key in KEYS && !(event.key === "Enter" && /^(BUTTON|SUMMARY|A)$/.test(tagName))) {
    event.preventDefault();
    KEYS[event.key]();
  }
}

const KEYS = {
  "/": () => {
    const search = document.getElementById("search");
    search.focus();
    search.select();
  },
  j: () => moveTo(state.at + 1),
  k: () => moveTo(state.at - 1),
  w: toggleSpace,
  Enter: () => shown.length && openExample(shown[state.at].id),
};

/** What stands in the summary as a filter: statuses, flips, cells. */
function onPick(event) {
  const picked = event.target.closest("#summary [data-run]");
  if (!picked) return;
  const { run: number, status, flip } = picked.dataset;
  filterBy("run", number);
  if (status) filterBy("status", status);
  if (flip) filterBy("flip", `by ${flip}`);
  document.getElementById("examples").scrollIntoView({ block: "start" });
  rows.focus({ preventScroll: true });
}

/** Lets the heads of a table of cells sort it, by what each column shows. */
function sortable(cells) {
  const heads = [...cells.tHead.rows[0].cells];
  const body = cells.tBodies[0];
  const textAt = (row, place) => row.cells[place].textContent.trim();
  const sort = (cell, place) => {
    const isDown = cell.getAttribute("aria-sort") === "ascending";
    for (const other of heads) other.removeAttribute("aria-sort");
    cell.setAttribute("aria-sort", isDown ? "descending" : "ascending");
    const inPlace = (a, b) => (isDown ? -1 : 1) * collate(textAt(a, place), textAt(b, place));
    body.append(...[...body.rows].sort(inPlace));
  };
  heads.forEach((cell, place) => {
    if (!cell.classList.contains("wide")) cell.replaceChildren(button("head", () => sort(cell, place), cell.textContent));
  });
}

function start() {
  detail = el("article", { class: "detail", "aria-live": "off", "aria-label": "the example" });
  document.getElementById("examples").replaceChildren(makeList(), detail);
  document.body.classList.add("has-script");
  document.querySelectorAll("table.cells").forEach(sortable);
  drawList();
  drawDetail();
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", onPick);
  window.addEventListener("popstate", followLink);
  window.addEventListener("hashchange", followLink);
  window.addEventListener("resize", () => drawRows());
  window.addEventListener("beforeprint", () => drawRows(shown.length <= PRINTED));
  window.addEventListener("afterprint", () => drawRows());
  followLink();
}

start();
