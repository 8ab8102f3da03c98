// Opening and closing, links to examples, and keys.

function openExample(id, isLink) {
  if (id !== state.open) [state.sample, state.tried] = [0, null];
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
  try { id = decodeURIComponent(id); } catch { return; }
  if (!id || id === "examples") return;
  if (!byId[state.run].has(id)) {
    const other = byId.findIndex((examples) => examples.has(id));
    if (other < 0) return;
    state.run = other;
    drawList();
  }
  if (!shown.some((example) => example.id === id)) {
    Object.assign(state, { result: "", status: "", step: "", flip: "", search: "" });
    drawList();
  }
  openExample(id, true);
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "checkbox";
  if (event.key === "Escape") {
    if (isTyping) event.target.blur();
    else if (state.open !== null) closeExample();
    return;
  }
  if (isTyping) {
    if (event.key === "Enter" && event.target.id === "search") rows.focus();
    return;
  }
  const isButton = /^(BUTTON|SUMMARY|A)$/.test(event.target.tagName);
  const keys = {
    "/": () => { const search = document.getElementById("search"); search.focus(); search.select(); },
    j: () => moveTo(state.at + (state.open === null && event.target === document.body && state.at === 0 && !rows.dataset.used ? 0 : 1)),
    k: () => moveTo(state.at - 1),
    w: toggleSpace,
    Enter: () => shown.length && openExample(shown[state.at].id),
  };
  if (!keys[event.key] || (event.key === "Enter" && isButton)) return;
  event.preventDefault();
  keys[event.key]();
  rows.dataset.used = "yes";
}

/** What stands in the summary as a filter: statuses, flips, cells. */
function onPick(event) {
  const button = event.target.closest("#summary [data-run]");
  if (!button) return;
  const { run: number, status, flip } = button.dataset;
  filterBy("run", number);
  if (status) filterBy("status", status);
  if (flip) filterBy("flip", `by ${flip}`);
  document.getElementById("examples").scrollIntoView({ block: "start" });
  rows.focus({ preventScroll: true });
}

/** Lets the heads of a table of cells sort it, by what each column shows. */
function sortable(table) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0], compare = new Intl.Collator("en", { numeric: true }).compare;
  const valueOf = (row, place) => row.cells[place].textContent.trim();
  heads.forEach((cell, place) => {
    if (cell.classList.contains("wide")) return;
    const sort = () => {
      const isDown = cell.getAttribute("aria-sort") === "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", isDown ? "descending" : "ascending");
      body.append(...[...body.rows].sort((a, b) => (isDown ? -1 : 1) * compare(valueOf(a, place), valueOf(b, place))));
    };
    cell.replaceChildren(el("button", { type: "button", class: "head", onclick: sort, text: cell.textContent }));
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
  window.addEventListener("popstate", () => (location.hash.length > 1 ? followLink() : (state.open = null, drawDetail(), drawRows())));
  window.addEventListener("resize", () => drawRows());
  window.addEventListener("beforeprint", () => { if (shown.length <= 1000) drawRows(true); });
  window.addEventListener("afterprint", () => drawRows());
  followLink();
}

start();
